/**
 * What this machine's processor does to integer products, without loading ONNX Runtime to find it out each time.
 *
 * @module
 */

import { type ProcessorIdentity, processorIdentity, RUNTIME_VERSION } from "../engine/identity.ts";
import { Memos } from "../store/memos.ts";

/** Finds out what the processor does to integer products. */
export type Processor = () => Promise<ProcessorIdentity>;

/** Seconds within which two clocks that are read one after the other agree. */
const TOLERANCE = 10;

/** A machine between two of its starts: its processor does not change meanwhile. */
export interface Machine {
  readonly host: string;
  /** When it started, in tens of seconds. */
  readonly start: number;
}

/** This machine; `undefined` if Deno does not let this process know. */
export function thisMachine(): Machine | undefined {
  try {
    const start = Math.round((Date.now() / 1000 - Deno.osUptime()) / TOLERANCE);
    return { host: Deno.hostname(), start };
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

/**
 * Asks once, and remembers the answer in a store for as long as the machine is the same and was not started anew: a store
 * may be copied, or shared by machines.
 *
 * @param root The store's folder.
 */
export function rememberedProcessor(
  root: string,
  machine: () => Machine | undefined = thisMachine,
  ask: Processor = processorIdentity,
): Processor {
  const memos = new Memos(root);
  let answer: Promise<ProcessorIdentity> | undefined;
  const find = async (): Promise<ProcessorIdentity> => {
    const here = machine();
    if (here === undefined) return await ask();
    const question = { processor: 1, runtime: RUNTIME_VERSION, machine: { ...here } };
    const { products_saturate } = (await memos.get(question, async () => ({ ...await ask() })))!;
    return { products_saturate: products_saturate === true };
  };
  return () => answer ??= find();
}

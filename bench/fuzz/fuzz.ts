/**
 * Gives damaged input to everything that reads input. Whatever happens has to be one of two things: it is accepted, or it is
 * refused with a `UserError`.
 *
 * @module
 */

import process from "node:process";
import { UserError } from "../../src/base/errors.ts";
import { Random } from "../../src/base/random.ts";

/** What reads input, and what is given to it. */
export interface Target extends AsyncDisposable {
  /**
   * Makes an input and has it read.
   *
   * @param keep Told of the input, so that it can be shown if it does harm.
   * @throws {UserError} If it is refused.
   */
  attempt(random: Random, keep: (input: unknown) => void): Promise<void>;
}

/** What came of it. */
export interface FuzzReport {
  readonly cases: number;
  readonly accepted: number;
  readonly refused: number;
  /** Processor time of the whole process, user and system, in seconds. */
  readonly cpu: number;
  /** Processor time of the slowest case, in seconds. */
  readonly slowest: number;
  /** The largest growth of memory in one case, in bytes. */
  readonly growth: number;
  readonly faults: readonly FuzzFault[];
}

/** Something that must not happen. */
export interface FuzzFault {
  readonly index: number;
  readonly why: string;
  readonly input: unknown;
}

/** More processor time than any input of these sizes may take, in seconds. */
export const LONGEST = 5;
/** More than any input of these sizes may need, in bytes. */
const MOST = 1 << 29;
/** More are only more of the same. */
const ENOUGH = 20;

/**
 * Runs cases one after the other. Each follows from the seed and its index alone, so that it can be run again.
 *
 * @param onCase Told before each case.
 */
export async function fuzz(
  target: Target,
  options: { readonly from: number; readonly cases: number; readonly seed: number },
  onCase: (index: number) => void = () => {},
): Promise<FuzzReport> {
  let [accepted, refused, slowest, growth] = [0, 0, 0, 0];
  const faults: FuzzFault[] = [];
  const before = process.cpuUsage();
  let memory = Deno.memoryUsage().rss;
  for (let index = options.from; index < options.from + options.cases; index++) {
    onCase(index);
    let input: unknown;
    const fault = (why: string) => faults.push({ index, why, input });
    const started = process.cpuUsage();
    try {
      await target.attempt(Random.from(options.seed, `case ${index}`), (given) => input = given);
      accepted++;
    } catch (error) {
      if (error instanceof UserError && error.message.trim() !== "") refused++;
      else fault(error instanceof Error ? error.stack ?? error.message : String(error));
    }
    const seconds = secondsSince(started);
    slowest = Math.max(slowest, seconds);
    if (seconds > LONGEST) fault(`took ${seconds.toFixed(1)} s`);
    const now = Deno.memoryUsage().rss;
    growth = Math.max(growth, now - memory);
    if (now - memory > MOST) fault(`took ${((now - memory) / 2 ** 20).toFixed(0)} MiB`);
    memory = now;
    if (faults.length >= ENOUGH) break;
  }
  const cpu = secondsSince(before);
  const cases = accepted + refused + faults.length;
  return { cases, accepted, refused, cpu, slowest, growth, faults };
}

/** Processor time: on a busy machine, the clock on the wall says nothing of a case. */
function secondsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

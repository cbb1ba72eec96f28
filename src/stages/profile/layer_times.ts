/**
 * How long layers take.
 *
 * @module
 */

import type { Model } from "../../onnx/model.ts";
import { atWidths, handOver, type Widths } from "./layer_model.ts";
import type { Parameters } from "./ports.ts";
import { chain, CHAINS, isFeatureMap, sandwich } from "./sandwich.ts";
import { TimedSessions } from "./timing.ts";

/** What plain convolutions take on values of one shape. */
interface Carrier {
  /** One more of them in a row. */
  readonly each: number;
  /** The call, and what happens to inputs and outputs. */
  readonly ends: number;
}

/**
 * The time of a layer at each of some widths, in microseconds: between plain convolutions where it works on feature
 * maps, else alone; less what all else in those models takes.
 *
 * @param single The model of the layer alone.
 */
export async function layerTimes(
  single: Model,
  widths: readonly Widths[],
  isFirst: boolean,
  parameters: Parameters,
  signal: AbortSignal,
): Promise<number[]> {
  const { threads, runs } = parameters;
  const from = single.graph.inputs[0]!.dims as number[];
  const to = single.graph.outputs[0]!.dims as number[];
  const isBetween = isFeatureMap(from) && isFeatureMap(to);
  await using timed = new TimedSessions();
  const open = (model: Model, pair: Widths) =>
    timed.open(atWidths(model, pair, parameters, true), threads);
  const places = [];
  const carriers = new Map<string, number[]>();
  for (const pair of widths) {
    const call = await timed.open(handOver(atWidths(single, pair, parameters, true)), threads);
    const own = await open(isBetween ? sandwich(single, isFirst) : single, pair);
    places.push({ call, own });
    if (!isBetween) continue;
    for (const shape of isFirst ? [to] : [from, to]) {
      const key = carrierKey(shape, pair);
      if (carriers.has(key)) continue;
      const plain = plainWidths(pair);
      const chains = [];
      for (const count of CHAINS) chains.push(await open(chain(single, shape, count), plain));
      carriers.set(key, chains);
    }
  }
  const times = await timed.medians(runs, signal);
  const carrierAt = (shape: readonly number[], pair: Widths): Carrier => {
    const [short, long] = carriers.get(carrierKey(shape, pair))!.map((place) => times[place]!);
    const each = Math.max(0, (long! - short!) / (CHAINS[1] - CHAINS[0]));
    return { each, ends: short! - CHAINS[0] * each };
  };
  return places.map(({ call, own }, index) => {
    const pair = widths[index]!;
    if (!isBetween) return Math.max(0, times[own]! - times[call]!);
    const after = carrierAt(to, pair);
    // Each end of the model is half of the ends of a chain.
    const before = isFirst ? { each: 0, ends: times[call]! } : carrierAt(from, pair);
    const others = before.each + after.each + (before.ends + after.ends) / 2;
    return Math.max(0, times[own]! - others);
  });
}

/** Plain convolutions have 8-bit weights where activations are quantized. */
function plainWidths({ activations }: Widths): Widths {
  return { weights: activations === 32 ? 32 : 8, activations };
}

function carrierKey(shape: readonly number[], { activations }: Widths): string {
  return `${shape} ${activations}`;
}

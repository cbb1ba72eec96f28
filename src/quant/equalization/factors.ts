/**
 * Factors of channels with which neighbouring layers have equal ranges.
 *
 * Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019, equations 8 to 11: with
 * ranges r₁ of a channel in the first layer and r₂ in the second, dividing by s = √(r₁/r₂) there and multiplying here
 * makes both √(r₁r₂). A layer between two others takes part in two pairs; going through the pairs again and again leads
 * to the fixed point of all, for a depthwise layer between two others equal ranges ∛(r₁r₂r₃).
 *
 * @module
 */

import type { Node } from "../../onnx/model.ts";
import type { Link } from "./links.ts";
import { ChannelRanges } from "./ranges.ts";

/** What came of it. */
export interface Equalization {
  /** For each link, what the first layer's output channels are divided by. */
  readonly factors: ReadonlyMap<Link, Float64Array>;
  /** Greatest |w| of each output channel, by layer that has a part. */
  readonly before: ReadonlyMap<Node, Float64Array>;
  readonly after: ReadonlyMap<Node, Float64Array>;
  readonly sweeps: number;
}

/** When to stop. */
export interface SweepOptions {
  readonly maximum: number;
  /** The greatest relative change of a factor that no longer counts. */
  readonly tolerance: number;
  /** Whether factors are powers of two, with which nothing is rounded. */
  readonly powersOfTwo: boolean;
}

/** Finds the factors. */
export function equalizingFactors(
  links: readonly Link[],
  { maximum, tolerance, powersOfTwo }: SweepOptions,
): Equalization {
  const ranges = new Map<Node, ChannelRanges>();
  for (const { first, seconds } of links) {
    for (const layer of [first, ...seconds.map((second) => second.layer)]) {
      if (!ranges.has(layer.node)) ranges.set(layer.node, new ChannelRanges(layer));
    }
  }
  const outputRanges = () => new Map([...ranges].map(([node, each]) => [node, each.ofOutputs()]));
  const before = outputRanges();
  const factors = new Map(
    links.map((link) => [link, new Float64Array(link.first.outputs).fill(1)]),
  );
  const apply = (link: Link, change: Float64Array) => {
    const total = factors.get(link)!;
    change.forEach((factor, channel) => total[channel]! *= factor);
    ranges.get(link.first.node)!.divideOutputs(change);
    for (const { layer, positions } of link.seconds) {
      const inputs = Float64Array.from(
        { length: layer.inputs },
        (_, input) => change[Math.floor(input / positions)]!,
      );
      ranges.get(layer.node)!.multiplyInputs(inputs);
    }
  };
  let sweeps = 0;
  for (let change = Infinity; change > tolerance && sweeps < maximum; sweeps++) {
    change = 0;
    // There and back: what changes at one end of a long chain reaches the other at once.
    for (const link of sweeps % 2 === 0 ? links : links.toReversed()) {
      const step = pairFactors(link, ranges);
      for (const factor of step) change = Math.max(change, Math.abs(factor - 1));
      apply(link, step);
    }
  }
  if (powersOfTwo) {
    for (const [link, total] of factors) {
      apply(link, total.map((factor) => 2 ** Math.round(Math.log2(factor)) / factor));
    }
  }
  return { factors, before, after: outputRanges(), sweeps };
}

/** √(r₁/r₂) for each channel; 1 where a channel has no weights on one side. */
function pairFactors(
  { first, seconds }: Link,
  ranges: ReadonlyMap<Node, ChannelRanges>,
): Float64Array {
  const behind = new Float64Array(first.outputs);
  for (const { layer, positions } of seconds) {
    ranges.get(layer.node)!.ofInputs().forEach((range, input) => {
      const channel = Math.floor(input / positions);
      behind[channel] = Math.max(behind[channel]!, range);
    });
  }
  return ranges.get(first.node)!.ofOutputs().map((range, channel) =>
    range > 0 && behind[channel]! > 0 ? Math.sqrt(range / behind[channel]!) : 1
  );
}

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
  /**
   * The greatest value that each channel between two layers takes, as far as that is known: dividing channels with small
   * weights by small factors makes these values large, and they share a grid, too.
   */
  readonly peaks: ReadonlyMap<Link, Float64Array>;
  /** How many times as wide as that of the median channel the range of a channel's values may become. */
  readonly spread: number;
}

/** Finds the factors. */
export function equalizingFactors(
  links: readonly Link[],
  { maximum, tolerance, powersOfTwo, peaks, spread }: SweepOptions,
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
      const step = limited(
        pairFactors(link, ranges),
        factors.get(link)!,
        peaks.get(link),
        spread,
      );
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

/**
 * √(r₁/r₂) for each channel. A channel that is constant, for it has no weights in the first layer, has no range to be
 * equal to: its weights in the second get the median range of the others. One that nothing reads is left alone.
 */
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
  const before = ranges.get(first.node)!.ofOutputs();
  const equal = before.map((range, channel) => Math.sqrt(range * behind[channel]!))
    .filter((range) => range > 0)
    .sort();
  const median = equal[Math.floor((equal.length - 1) / 2)];
  return before.map((range, channel) => {
    if (behind[channel] === 0 || median === undefined) return 1;
    return range > 0 ? Math.sqrt(range / behind[channel]!) : median / behind[channel]!;
  });
}

/**
 * A step that leaves no channel's values, of which the total factor will be the divisor, wider than they may be.
 *
 * @param step Factors that the total will be multiplied with.
 */
function limited(
  step: Float64Array,
  total: Float64Array,
  peaks: Float64Array | undefined,
  spread: number,
): Float64Array {
  if (peaks === undefined || spread === Infinity) return step;
  const widths = step.map((factor, channel) => peaks[channel]! / (factor * total[channel]!));
  const used = widths.filter((width) => width > 0).sort();
  if (used.length === 0) return step;
  const widest = spread * used[Math.floor((used.length - 1) / 2)]!;
  return step.map((factor, channel) =>
    widths[channel]! > widest ? factor * widths[channel]! / widest : factor
  );
}

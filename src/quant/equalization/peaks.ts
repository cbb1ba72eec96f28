/**
 * How large the values between two layers become.
 *
 * @module
 */

import { constantValue } from "../../onnx/edit.ts";
import type { Model } from "../../onnx/model.ts";
import { foldedStatistics } from "../distributions/batch_norm.ts";
import type { Link } from "./links.ts";

/** How many deviations above its mean the greatest value of a channel is taken to be. */
const DEVIATIONS = 6;

/**
 * The greatest magnitude of each channel between two layers, from what batch normalization knows and from the bounds of
 * Clip; links of which neither is there are left out.
 */
export function valuePeaks(model: Model, links: readonly Link[]): Map<Link, Float64Array> {
  const statistics = foldedStatistics(model);
  const found = new Map<Link, Float64Array>();
  for (const link of links) {
    const { first, clips, path } = link;
    const known = statistics.get(first.node.outputs[0]!);
    const bound = clips.reduce((least, { inputs }) => {
      const high = constantValue(model.graph, inputs[2] ?? "");
      return high === undefined ? least : Math.min(least, Number(high.data[0]));
    }, Infinity);
    if (known === undefined && bound === Infinity) continue;
    const isCut = clips.length > 0 || path.some(({ opType }) => opType === "Relu");
    found.set(
      link,
      Float64Array.from({ length: first.outputs }, (_, channel) => {
        if (known === undefined) return bound;
        const [mean, reach] = [known.mean[channel]!, DEVIATIONS * known.deviation[channel]!];
        return Math.min(bound, Math.max(0, mean + reach, isCut ? 0 : reach - mean));
      }),
    );
  }
  return found;
}

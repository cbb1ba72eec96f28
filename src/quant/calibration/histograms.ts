/**
 * The second pass of calibration: histograms of values.
 *
 * @module
 */

import { type Feeds, runWithIntermediates } from "../../engine/intermediates.ts";
import type { Model } from "../../onnx/model.ts";
import type { Tensor } from "../../onnx/tensor.ts";
import { layBins } from "../histogram.ts";
import type { Histogram, Range } from "../ranges.ts";
import { Counter } from "./count.ts";
import type { CalibrationExecution, CalibrationFeed, CalibrationFeeds } from "./feed.ts";
import { withBinIndices } from "./watch.ts";

/**
 * Makes a histogram of each value. ONNX Runtime finds the bins, and only their 16-bit indices leave it, to be
 * counted; memory does not grow with the number of calls.
 *
 * @param model Of operator set 21 or newer.
 * @param extents The range of each value.
 * @param bins How many bins a histogram has, at most 65 536.
 */
export async function collectHistograms(
  model: Model,
  extents: ReadonlyMap<string, Range>,
  feeds: CalibrationFeeds,
  bins: number,
  execution: CalibrationExecution,
): Promise<Map<string, Histogram>> {
  const layouts = new Map([...extents].map(([name, extent]) => [name, layBins(extent, bins)]));
  const watched = withBinIndices(model, layouts);
  const counters = new Map([...watched.indices.values()].map((name) => [name, new Counter(bins)]));
  const running: CalibrationFeed[] = [];
  await runWithIntermediates(
    watched.model,
    [...watched.indices.values()],
    async function* (): AsyncGenerator<Feeds> {
      running.length = 0;
      for await (const feed of feeds()) {
        running.push(feed);
        yield feed.feeds;
      }
    },
    (values) => {
      const feed = running.shift()!;
      for (const name in values) {
        counters.get(name)!.add(counted(values[name]! as Tensor<"uint16">, feed));
      }
      execution.progress?.("histograms", feed.size);
    },
    execution,
  );
  return new Map(
    [...watched.indices].map(([name, indices]) => [
      name,
      { ...layouts.get(name)!, counts: counters.get(indices)!.counts() },
    ]),
  );
}

/** The elements of the items that count. */
function counted({ dims, data }: Tensor<"uint16">, { rows, size }: CalibrationFeed): Uint16Array {
  return size < rows && dims[0] === rows ? data.subarray(0, data.length / rows * size) : data;
}

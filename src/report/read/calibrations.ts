/**
 * What calibrations saw, with the grids that models were given for it.
 *
 * @module
 */

import type { Histogram, Ranges, TensorStatistics } from "../../quant/ranges.ts";
import type { ReportCalibration, ReportGrid, ReportHistogram, ReportModel } from "../document.ts";
import type { RunArtifacts } from "./artifacts.ts";

/** Bins of a histogram in a report, at most. */
const SHOWN_BINS = 80;

/** Reads every calibration of the run. */
export async function readCalibrations(
  artifacts: RunArtifacts,
  models: readonly ReportModel[],
): Promise<ReportCalibration[]> {
  const calibrations: ReportCalibration[] = [];
  for (const artifact of artifacts.made("ranges")) {
    const ranges = await artifacts.load(artifact, "ranges");
    if (ranges === undefined) continue;
    const users = models.filter(({ calibration }) => calibration === artifact.origin);
    calibrations.push({
      name: artifact.origin,
      method: ranges.method,
      activations: inOrder(ranges.tensors, users).map(([value, statistics]) => {
        const { min, max, count, histogram } = statistics;
        return {
          value,
          min,
          max,
          count,
          ...(histogram !== undefined && { histogram: coarser(histogram) }),
          grids: gridsOf(value, statistics, users),
        };
      }),
    });
  }
  return calibrations;
}

/** Activations in the order in which a model computes them. */
function inOrder(
  tensors: Ranges["tensors"],
  [model]: readonly ReportModel[],
): [string, TensorStatistics][] {
  const place = new Map(model?.activations.map(({ value }, index) => [value, index]));
  return Object.entries(tensors).sort(([a], [b]) =>
    (place.get(a) ?? Infinity) - (place.get(b) ?? Infinity) || 0
  );
}

/** The different grids of a value, each with the models that have it. */
function gridsOf(
  value: string,
  { histogram }: TensorStatistics,
  models: readonly ReportModel[],
): ReportGrid[] {
  const grids = new Map<string, ReportGrid>();
  for (const { name, activations } of models) {
    const found = activations.find((each) => each.value === value);
    if (found?.scale === undefined) continue;
    const { bits, min, max, scale } = found as Required<typeof found>;
    const key = JSON.stringify([bits, min, max]);
    const known = grids.get(key);
    if (known !== undefined) known.models.push(name);
    else {
      grids.set(key, {
        models: [name],
        bits,
        min,
        max,
        scale,
        ...(histogram !== undefined && { clipped: shareOutside(histogram, { min, max, scale }) }),
      });
    }
  }
  return [...grids.values()];
}

/** Share of values that are further outside a grid than rounding moves those inside. */
function shareOutside(
  { binWidth, zeroBin, counts }: Histogram,
  { min, max, scale }: Pick<ReportGrid, "min" | "max" | "scale">,
): number {
  let outside = 0;
  let total = 0;
  counts.forEach((count, bin) => {
    const center = (bin - zeroBin) * binWidth;
    total += count;
    if (center < min - scale / 2 || center > max + scale / 2) outside += count;
  });
  return total === 0 ? 0 : outside / total;
}

/** The same with fewer bins: neighbours counted together. */
function coarser({ binWidth, zeroBin, counts }: Histogram): ReportHistogram {
  const size = Math.max(1, Math.ceil(counts.length / SHOWN_BINS));
  const sums: number[] = [];
  counts.forEach((count, bin) => {
    const at = Math.floor(bin / size);
    sums[at] = (sums[at] ?? 0) + count;
  });
  return { start: (-zeroBin - 0.5) * binWidth, width: size * binWidth, counts: sums };
}

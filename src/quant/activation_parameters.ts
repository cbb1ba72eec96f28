/**
 * Choosing the scales and zero points of activations from calibrated statistics.
 *
 * @module
 */

import { type Problem, UserError } from "../base/errors.ts";
import {
  type Grid,
  grid,
  parametersFromRange,
  type QuantizationParameters,
  tensorParameters,
} from "./grid.ts";
import { chooseRange, RANGE_RULES } from "./observers/table.ts";
import type { Placement } from "./placement.ts";
import type { RangeMethod, Ranges, TensorStatistics } from "./ranges.ts";

/** How an activation is quantized. */
export interface ActivationSettings {
  readonly bits: number;
  readonly symmetric: boolean;
}

/** What is chosen for all activations alike. */
export interface ActivationChoice {
  /** Whether values that only lead to outputs of the model are quantized too. */
  readonly outputs: boolean;
  /** How ranges are chosen; `calibrated` is what the statistics were made for. */
  readonly range: RangeMethod | "calibrated";
}

/**
 * The parameters of every value that is quantized.
 *
 * @param settings By group of activation points.
 *
 * @throws {UserError} If statistics are missing: those of a value, or those that the method needs.
 */
export function chooseActivations(
  placement: Pick<Placement, "points">,
  settings: ReadonlyMap<string, ActivationSettings>,
  ranges: Ranges,
  { outputs, range }: ActivationChoice,
): Map<string, QuantizationParameters> {
  const method = range === "calibrated" ? ranges.method : range;
  const chosen = new Map<string, QuantizationParameters>();
  const byGroup = new Map<string, QuantizationParameters>();
  const problems: Problem[] = [];
  for (const { value, group, role } of placement.points) {
    if (role === "repeat" || role === "result" && !outputs) continue;
    const statistics = ranges.tensors[group];
    const problem = findProblem(group, statistics, method);
    if (problem !== undefined) {
      problems.push(problem);
      continue;
    }
    let parameters = byGroup.get(group);
    if (parameters === undefined) {
      const target = gridFor(settings.get(group)!, statistics!);
      const { min, max } = chooseRange(statistics!, method, ranges.settings, target);
      parameters = tensorParameters(parametersFromRange(min, max, target), target);
      byGroup.set(group, parameters);
    }
    chosen.set(value, parameters);
  }
  if (problems.length > 0) throw new UserError(firstFew(problems));
  return chosen;
}

/** A symmetric grid for values that are never negative begins at zero. */
function gridFor({ bits, symmetric }: ActivationSettings, { min }: TensorStatistics): Grid {
  return grid(bits, { symmetric: symmetric && min < 0 });
}

function findProblem(
  group: string,
  statistics: TensorStatistics | undefined,
  method: RangeMethod,
): Problem | undefined {
  if (statistics === undefined) {
    return {
      message: `The ranges hold no statistics of activation "${group}"`,
      hint:
        "Calibrate the same model that is quantized, and name the nodes that are skipped there too: " +
        "exclude: [NODE]",
    };
  }
  const { needs } = RANGE_RULES[method];
  if (needs === "histogram" && statistics.histogram === undefined) {
    return missing(group, method, "histogram");
  }
  if (needs === "average" && statistics.average === undefined) {
    return missing(group, method, "moving average");
  }
  return undefined;
}

function missing(group: string, method: RangeMethod, what: string): Problem {
  return {
    message: `Range method "${method}" needs a ${what}, which the statistics of "${group}" lack`,
    hint: `Give method: ${method} to the stage "calibrate" as well`,
  };
}

function firstFew(problems: readonly Problem[]): Problem[] {
  const shown = problems.slice(0, 5);
  const rest = problems.length - shown.length;
  return rest === 0 ? shown : [...shown, { message: `And ${rest} more activations` }];
}

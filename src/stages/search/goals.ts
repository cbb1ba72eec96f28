/**
 * Limits of what models lose, rather than of what they cost.
 *
 * @module
 */

import type { Parameters } from "./ports.ts";

/** What trials are told. */
export type TrialParameters = NonNullable<Parameters["trials"]>;

/** Limits of losses; all others are of costs. */
const GOALS = ["loss", "kl", "mse", "top1_drop", "bound"] as const;

/** A limit of a loss. */
export type Goal = typeof GOALS[number];

/** Whether a key of `budget` is a limit of a loss. */
export function isGoal(name: string): name is Goal {
  return (GOALS as readonly string[]).includes(name);
}

/** The limit of a loss in a budget, if there is one. */
export function goalOf(
  budget: Parameters["budget"] = {},
): { readonly name: Goal; readonly limit: number } | undefined {
  for (const name of GOALS) {
    const limit = budget[name];
    if (limit !== undefined) return { name, limit };
  }
  return undefined;
}

/** Whether activations are quantized in trials. */
export function quantizesActivations(
  { activations: { mode } }: TrialParameters,
  targets: Parameters["targets"],
): boolean {
  return mode === "static" || mode === "auto" && targets !== "weights";
}

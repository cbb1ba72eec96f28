/**
 * The one place that knows the solver of mixed-integer linear programs: HiGHS, compiled to WebAssembly (MIT licence, no
 * dependencies, no install script).
 *
 * @module
 */

import * as module from "highs";

/** A CommonJS module, whose types call the function itself its default. */
const loadHighs = module.default as unknown as typeof module.default.default;

let loaded: ReturnType<typeof loadHighs> | undefined;

/** An optimal solution. */
export interface Solution {
  readonly objective: number;
  /** Values of variables by name. */
  readonly values: ReadonlyMap<string, number>;
}

/**
 * Solves a program to optimality, without a gap but for the tolerances of the solver (10⁻⁶ and less).
 *
 * @param text The program in the LP file format.
 * @throws {RangeError} If it has no optimal solution.
 */
export async function solve(text: string): Promise<Solution> {
  loaded ??= loadHighs();
  const highs = await loaded;
  const result = highs.solve(text, {
    mip_rel_gap: 0,
    mip_abs_gap: 0,
    mip_feasibility_tolerance: 1e-9,
    primal_feasibility_tolerance: 1e-9,
    output_flag: false,
  });
  if (result.Status !== "Optimal") {
    throw new RangeError(`The program has no optimal solution: ${result.Status}`);
  }
  const values = new Map(
    Object.entries(result.Columns).map((
      [name, column],
    ) => [name, (column as { Primal: number }).Primal]),
  );
  return { objective: result.ObjectiveValue, values };
}

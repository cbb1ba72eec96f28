/**
 * Matrices of a layer in the memory of a thread.
 *
 * @module
 */

import { type DenseLayer, type Part, PARTS } from "./chain.ts";
import type { Workspace } from "./workspace.ts";

/** The addresses of a layer's matrices; `undefined` where there is none. */
export type Addresses = Readonly<Record<Part, number | undefined>>;

/** Copies the matrices of a layer. */
export function place(workspace: Workspace, matrices: DenseLayer["weights"]): Addresses {
  return Object.fromEntries(PARTS.map((part) => {
    const matrix = matrices[part];
    if (matrix === undefined) return [part, undefined];
    const address = workspace.take(8 * matrix.length);
    workspace.numbers.set(matrix, address / 8);
    return [part, address];
  })) as Record<Part, number | undefined>;
}

/**
 * Networks whose layers follow one another, each a matrix or an elementwise function: what the kernels can bound.
 *
 * @module
 */

import type { DenseMap } from "../../network/linear_map.ts";
import type { PairedNetwork, Side } from "../../network/network.ts";
import { mapAt } from "../graphs/linear.ts";
import { COLUMNS } from "./kernels.ts";

/** Networks of more weights than this are left to ONNX Runtime, whose products of large matrices are faster. */
const MOST_WEIGHTS = 1 << 20;

/** Which weights: a side's, or original − quantized. */
export type Part = Side | "difference";

export const PARTS: readonly Part[] = ["original", "quantized", "difference"];

/** The matrices of an affine step; without a difference where there is none. */
export interface DenseLayer {
  readonly rows: number;
  readonly columns: number;
  /** [rows × columns]. */
  readonly weights: Readonly<Record<Part, Float64Array | undefined>>;
  /** [columns × rows], rows filled up to a multiple of {@linkcode COLUMNS}, as forward passes read them. */
  readonly forward: Readonly<Record<Part, Float64Array | undefined>>;
  /** The same, by their size. */
  readonly magnitudes: Readonly<Record<Part, Float64Array | undefined>>;
}

/** Whether the kernels can bound a network. */
export function isChain(network: PairedNetwork): boolean {
  let weights = 0;
  return network.output === network.steps.length && network.steps.every((step, at) => {
    if (step.kind === "maxpool") return false;
    if (step.kind !== "affine") return step.input === at;
    const [{ input, map: { original, quantized } }] = [step.terms[0]!];
    weights += original.rows * original.columns;
    return step.terms.length === 1 && input === at && weights <= MOST_WEIGHTS &&
      original.kind === "dense" && quantized.kind === "dense";
  });
}

/** The layers of a chain by the values that they make; `undefined` for elementwise steps. */
export function layersOf(network: PairedNetwork): readonly (DenseLayer | undefined)[] {
  const known = LAYERS.get(network);
  if (known !== undefined) return known;
  const layers = [
    undefined,
    ...network.steps.map((step, at) => {
      if (step.kind !== "affine") return undefined;
      const maps = PARTS.map((part) =>
        mapAt(network, { value: at + 1, term: 0, part }) as DenseMap | undefined
      );
      const held = (make: (map: DenseMap) => Float64Array) =>
        Object.fromEntries(PARTS.map((part, index) => {
          const map = maps[index];
          return [part, map && make(map)];
        })) as Record<Part, Float64Array | undefined>;
      const { rows, columns } = maps[0]!;
      return {
        rows,
        columns,
        weights: held(({ weights }) => weights),
        forward: held((map) => transposed(map, false)),
        magnitudes: held((map) => transposed(map, true)),
      };
    }),
  ];
  LAYERS.set(network, layers);
  return layers;
}

/** A length that the kernels can multiply. */
export function filledUp(length: number): number {
  return Math.ceil(length / COLUMNS) * COLUMNS;
}

const LAYERS = new WeakMap<PairedNetwork, readonly (DenseLayer | undefined)[]>();

function transposed({ weights, rows, columns }: DenseMap, isBySize: boolean): Float64Array {
  const length = filledUp(rows);
  const result = new Float64Array(columns * length);
  for (let row = 0, from = 0; row < rows; row++) {
    for (let to = row; to < result.length; to += length) {
      const weight = weights[from++]!;
      result[to] = isBySize ? Math.abs(weight) : weight;
    }
  }
  return result;
}

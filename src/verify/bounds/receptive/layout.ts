/**
 * The affine steps of a network as backward passes over receptive fields read them.
 *
 * @module
 */

import { elementCount } from "../../../onnx/tensor.ts";
import type { ConvolutionMap, DenseMap, LinearMap } from "../../network/linear_map.ts";
import {
  inputsOf,
  type PairedNetwork,
  type Side,
  sizeOf,
  type ValueNumber,
} from "../../network/network.ts";
import type { Workspace } from "../dense/workspace.ts";
import { mapAt } from "../graphs/linear.ts";

/** Which weights: a side's, or original − quantized. */
export type Part = Side | "difference";

/** One of each; `undefined` for a difference where there is none. */
export type Parts<T> = Readonly<Record<Part, T | undefined>>;

/** A map that adds up products: a matrix or a convolution. */
export interface WeightedTerm {
  readonly kind: "weighted";
  readonly input: ValueNumber;
  /** Which places and channels the map connects. */
  readonly windows: Windows;
  /** Addresses of the weights, [taps · outputs, channels of a group + 1]; the last column is zero. */
  readonly weights: Parts<number>;
  /** The same weights of a matrix as it is given, [rows × columns]. */
  readonly dense: Parts<Float64Array> | undefined;
}

/** A map that moves and scales elements. */
export interface MovingTerm {
  readonly kind: "moving";
  readonly input: ValueNumber;
  /** The element that each element is made of, −1 for none; `undefined` where it is its own. */
  readonly sources: Int32Array | undefined;
  /** What it is multiplied by; `undefined` for 1. */
  readonly factors: Parts<Float64Array | "ones">;
}

/** One term of an affine step. */
export type Term = WeightedTerm | MovingTerm;

/** Where the weights of a convolution connect what; a matrix is one with a window of one place. */
export interface Windows {
  readonly channels: number;
  readonly outputs: number;
  readonly groups: number;
  /** Places of the map that is read. */
  readonly places: number;
  /** Places of the map that is made. */
  readonly made: number;
  /** The taps through which each place is read begin here, [places + 1]. */
  readonly begins: Int32Array;
  readonly taps: Int32Array;
  /** The place that reads it through that tap. */
  readonly readers: Int32Array;
}

/** How values are laid out, and terms by the value that they make. */
export interface Layout {
  readonly terms: readonly (readonly Term[] | undefined)[];
  /** How many places each value has in the eyes of the convolutions that read it: elements of one place stand together. */
  readonly places: readonly number[];
  /** How many steps read each value. */
  readonly readers: readonly number[];
}

/** Whether the passes can be made: not where convolutions see one value as images of different sizes. */
export function hasLayout(network: PairedNetwork): boolean {
  return placesOf(network) !== undefined;
}

/** Lays a network out in a workspace. */
export function layoutOf(network: PairedNetwork, workspace: Workspace): Layout {
  const readers = new Array<number>(network.steps.length + 1).fill(0);
  for (const step of network.steps) for (const input of inputsOf(step)) readers[input]!++;
  const terms = network.steps.map((step, at) =>
    step.kind === "affine"
      ? step.terms.map(({ input }, term) => termOf(network, at + 1, term, input, workspace))
      : undefined
  );
  return { terms: [undefined, ...terms], places: placesOf(network)!, readers };
}

function placesOf(network: PairedNetwork): number[] | undefined {
  const seen = new Map<ValueNumber, number>();
  for (const step of network.steps) {
    if (step.kind !== "affine") continue;
    for (const { input, map: { original } } of step.terms) {
      if (original.kind !== "convolution") continue;
      const places = elementCount(original.geometry.input);
      if ((seen.get(input) ?? places) !== places) return undefined;
      seen.set(input, places);
    }
  }
  return Array.from(
    { length: network.steps.length + 1 },
    (_, value) => seen.get(value) ?? placesOfDims(network, value),
  );
}

/** Of [1, channels, …]; 1 for vectors. */
function placesOfDims(network: PairedNetwork, value: ValueNumber): number {
  const { dims } = value === 0 ? network.input : network.steps[value - 1]!;
  const size = sizeOf(network, value);
  const channels = dims[1] ?? size;
  return Number.isInteger(size / channels) ? size / channels : 1;
}

function termOf(
  network: PairedNetwork,
  value: ValueNumber,
  term: number,
  input: ValueNumber,
  workspace: Workspace,
): Term {
  const maps = partsOf((part) => mapAt(network, { value, term, part }));
  const first = maps.original!;
  if (first.kind === "dense" || first.kind === "convolution") {
    const windows = first.kind === "dense" ? windowOfAll(first) : windowsOf(first);
    return {
      kind: "weighted",
      input,
      windows,
      weights: partsOf((part) => {
        const map = maps[part] as DenseMap | ConvolutionMap | undefined;
        return map && placed(workspace, matrixOf(map, windows));
      }),
      dense: first.kind === "dense"
        ? partsOf((part) => (maps[part] as DenseMap | undefined)?.weights)
        : undefined,
    };
  }
  return {
    kind: "moving",
    input,
    sources: first.kind === "index" ? first.sources : undefined,
    factors: partsOf((part) => {
      const map = maps[part];
      return map && (map.kind === "diagonal" ? map.factors : "ones");
    }),
  };
}

function partsOf<T>(make: (part: Part) => T | undefined): Parts<T> {
  return {
    original: make("original"),
    quantized: make("quantized"),
    difference: make("difference"),
  };
}

function placed(workspace: Workspace, numbers: Float64Array): number {
  const address = workspace.take(8 * numbers.length);
  workspace.numbers.set(numbers, address / 8);
  return address;
}

/** Bytes that {@linkcode layoutOf} takes at most. */
export function layoutBytes(network: PairedNetwork): number {
  let numbers = 0;
  for (const step of network.steps) {
    if (step.kind !== "affine") continue;
    for (const { map: { original } } of step.terms) numbers += 3 * weightCount(original);
  }
  return 8 * numbers;
}

function weightCount(map: LinearMap): number {
  if (map.kind === "dense") return map.rows * (map.columns + 1);
  if (map.kind !== "convolution") return 0;
  return map.weights.length + elementCount(map.geometry.kernel) * map.geometry.outputs;
}

function windowOfAll({ rows, columns }: DenseMap): Windows {
  return {
    channels: columns,
    outputs: rows,
    groups: 1,
    places: 1,
    made: 1,
    begins: Int32Array.of(0, 1),
    taps: Int32Array.of(0),
    readers: Int32Array.of(0),
  };
}

function windowsOf({ geometry }: ConvolutionMap): Windows {
  const { channels, outputs, groups, input, output, kernel, strides, dilations, pads } = geometry;
  const places = elementCount(input);
  const begins = new Int32Array(places + 1);
  const taps: number[] = [], readers: number[] = [];
  for (let y = 0, place = 0; y < input[0]; y++) {
    for (let x = 0; x < input[1]; x++, place++) {
      for (let ky = 0; ky < kernel[0]; ky++) {
        const oy = (y + pads[0] - ky * dilations[0]) / strides[0];
        if (!Number.isInteger(oy) || oy < 0 || oy >= output[0]) continue;
        for (let kx = 0; kx < kernel[1]; kx++) {
          const ox = (x + pads[1] - kx * dilations[1]) / strides[1];
          if (!Number.isInteger(ox) || ox < 0 || ox >= output[1]) continue;
          taps.push(ky * kernel[1] + kx);
          readers.push(oy * output[1] + ox);
        }
      }
      begins[place + 1] = taps.length;
    }
  }
  return {
    channels,
    outputs,
    groups,
    places,
    made: elementCount(output),
    begins,
    taps: Int32Array.from(taps),
    readers: Int32Array.from(readers),
  };
}

/** [taps · outputs, channels of a group + 1]. */
function matrixOf(map: DenseMap | ConvolutionMap, { channels, outputs, groups }: Windows) {
  const { weights } = map;
  const inGroup = channels / groups;
  const taps = weights.length / (inGroup * outputs);
  const matrix = new Float64Array(taps * outputs * (inGroup + 1));
  for (let output = 0, from = 0; output < outputs; output++) {
    for (let channel = 0; channel < inGroup; channel++) {
      for (let tap = 0; tap < taps; tap++) {
        matrix[(tap * outputs + output) * (inGroup + 1) + channel] = weights[from++]!;
      }
    }
  }
  return matrix;
}

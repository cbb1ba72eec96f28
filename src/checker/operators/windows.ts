/**
 * Operators that move a window over an image.
 *
 * @module
 */

import { sparseMatrix } from "../matrix.ts";
import { count, type NetworkReader, unsupported } from "../network.ts";
import type { OnnxNode } from "../onnx_file.ts";
import { addAffine, identity, integer, type Rule, selection, UNIT } from "./common.ts";
import { addConstant } from "./linear.ts";

/** The rules of this file. */
export const WINDOWS: Readonly<Record<string, Rule>> = {
  Conv: convolution,
  AveragePool: averagePool,
  MaxPool: maxPool,
  GlobalAveragePool: (node, reader) => {
    const { dims, number } = reader.value(node, 0);
    const area = count(dims.slice(2));
    const rows = Array.from(
      { length: dims[1]! },
      (_, channel) =>
        Array.from({ length: area }, (_, at) => [channel * area + at, 1 / area] as const),
    );
    const terms = [{ input: number, matrix: sparseMatrix(count(dims), rows) }];
    const shape = [1, dims[1]!, ...dims.slice(2).map(() => 1)];
    addAffine(node, reader, terms, shape, { weightError: UNIT });
  },
};

function convolution(node: OnnxNode, reader: NetworkReader): void {
  const x = reader.value(node, 0);
  const weights = reader.constant(node, 1)!;
  const groups = integer(node, "group", 1);
  const [outputs, inGroup, ...kernel] = weights.dims as [number, number, ...number[]];
  const windows = windowsOf(node, x.dims, kernel);
  const [outGroup, taps] = [outputs / groups, count(kernel)];
  const area = count(x.dims.slice(2));
  const rows: [number, number][][] = [];
  for (let out = 0; out < outputs; out++) {
    const first = Math.floor(out / outGroup) * inGroup;
    for (const window of windows.places) {
      const row: [number, number][] = [];
      for (let channel = 0; channel < inGroup; channel++) {
        window.forEach((place, tap) => {
          if (place < 0) return;
          const weight = weights.values[(out * inGroup + channel) * taps + tap]!;
          row.push([(first + channel) * area + place, weight]);
        });
      }
      rows.push(row);
    }
  }
  const dims = [1, outputs, ...windows.dims];
  const terms = [{ input: x.number, matrix: sparseMatrix(count(x.dims), rows) }];
  const made = addAffine(node, reader, terms, dims, { weightError: weights.error });
  const bias = reader.constant(node, 2);
  if (bias === undefined) return;
  const channels = { ...bias, dims: [1, outputs, ...windows.dims.map(() => 1)] };
  addConstant(node, reader, made, channels, 1);
}

function averagePool(node: OnnxNode, reader: NetworkReader): void {
  const { number, dims } = reader.value(node, 0);
  const kernel = node.attributes.get("kernel_shape")!.integers;
  const windows = windowsOf(node, dims, kernel);
  const counted = integer(node, "count_include_pad", 0) !== 0;
  const area = count(dims.slice(2));
  const rows: [number, number][][] = [];
  for (let channel = 0; channel < dims[1]!; channel++) {
    for (const window of windows.places) {
      const inside = window.filter((place) => place >= 0);
      const weight = 1 / (counted ? window.length : inside.length);
      rows.push(inside.map((place) => [channel * area + place, weight]));
    }
  }
  const terms = [{ input: number, matrix: sparseMatrix(count(dims), rows) }];
  const shape = [1, dims[1]!, ...windows.dims];
  addAffine(node, reader, terms, shape, { weightError: UNIT });
}

/** max(p, q) = p + relu(q − p), in rounds over pairs of places. */
function maxPool(node: OnnxNode, reader: NetworkReader): void {
  if ((node.outputs[1] ?? "") !== "") throw unsupported(node, "with indices");
  const { number, dims } = reader.value(node, 0);
  const windows = windowsOf(node, dims, node.attributes.get("kernel_shape")!.integers);
  const area = count(dims.slice(2));
  const shape = [1, dims[1]!, ...windows.dims];
  const size = count(shape);
  const all = Array.from(
    { length: dims[1]! },
    (_, channel) =>
      windows.places.map((window) =>
        window.map((place) => place < 0 ? -1 : channel * area + place)
      ),
  ).flat();
  // Padding is less than all values. As a zero it does no harm to those that are not negative.
  if (all.some((window) => window.includes(-1)) && !isNotNegative(reader, number)) {
    throw unsupported(node, "with padding around values that can be negative");
  }
  const add = (terms: readonly (readonly [input: number, factor: number])[]) =>
    addAffine(
      node,
      reader,
      terms.map(([input, factor]) => ({ input, matrix: identity(size, factor) })),
      shape,
    ).number;
  let values = Array.from({ length: all[0]!.length }, (_, at) => {
    const matrix = selection(count(dims), all.map((window) => window[at]!));
    return addAffine(node, reader, [{ input: number, matrix }], shape).number;
  });
  while (values.length > 1) {
    const next: number[] = [];
    for (let at = 0; at + 1 < values.length; at += 2) {
      const [p, q] = [values[at]!, values[at + 1]!];
      const more = add([[q, 1], [p, -1]]);
      const rectified = reader.add(node, { kind: "relu", size, input: more }, shape).number;
      next.push(add([[p, 1], [rectified, 1]]));
    }
    if (values.length % 2 === 1) next.push(values.at(-1)!);
    values = next;
  }
  reader.alias(node, { number: values[0]!, dims: shape }, shape);
}

function isNotNegative({ steps }: Pick<NetworkReader, "steps">, number: number): boolean {
  const made = steps[number - 1];
  if (made?.kind === "quantize") {
    return made.grid.first.every((level) => level >= 0) || isNotNegative({ steps }, made.input);
  }
  return made?.kind === "relu";
}

/** The places that each position of a window reads, −1 outside, and the shape of the positions. */
function windowsOf(
  node: OnnxNode,
  dims: readonly number[],
  kernel: readonly number[],
): { places: number[][]; dims: number[] } {
  const input = dims.slice(2);
  if (input.length !== 2) throw unsupported(node, `over ${input.length} axes`);
  const mode = node.attributes.get("auto_pad")?.text ?? "NOTSET";
  if (mode !== "NOTSET" && mode !== "VALID") throw unsupported(node, `with auto_pad ${mode}`);
  if (integer(node, "ceil_mode", 0) !== 0) throw unsupported(node, "with ceil_mode");
  const list = (name: string, fallback: number, length: number) => {
    const found = node.attributes.get(name)?.integers ?? [];
    return found.length > 0 ? found : new Array<number>(length).fill(fallback);
  };
  const strides = list("strides", 1, 2);
  const dilations = list("dilations", 1, 2);
  const pads = list("pads", 0, 4);
  const output = [0, 1].map((axis) => {
    const reach = (kernel[axis]! - 1) * dilations[axis]! + 1;
    const room = input[axis]! + pads[axis]! + pads[axis + 2]! - reach;
    return Math.floor(room / strides[axis]!) + 1;
  });
  const places: number[][] = [];
  for (let oy = 0; oy < output[0]!; oy++) {
    for (let ox = 0; ox < output[1]!; ox++) {
      const window: number[] = [];
      for (let ky = 0; ky < kernel[0]!; ky++) {
        for (let kx = 0; kx < kernel[1]!; kx++) {
          const y = oy * strides[0]! - pads[0]! + ky * dilations[0]!;
          const x = ox * strides[1]! - pads[1]! + kx * dilations[1]!;
          const inside = y >= 0 && y < input[0]! && x >= 0 && x < input[1]!;
          window.push(inside ? y * input[1]! + x : -1);
        }
      }
      places.push(window);
    }
  }
  return { places, dims: output };
}

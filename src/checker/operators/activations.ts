/**
 * Relu and what can be written with it, Sigmoid and Tanh.
 *
 * @module
 */

import { count, type NetworkReader, unsupported, type Value } from "../network.ts";
import type { Constant, OnnxNode } from "../onnx_file.ts";
import { addAffine, diagonal, identity, type Rule, spread, UNIT } from "./common.ts";
import { narrowGrid } from "./quantizers.ts";

/** The rules of this file. */
export const ACTIVATIONS: Readonly<Record<string, Rule>> = {
  Relu: (node, reader) => {
    relu(node, reader, reader.value(node, 0));
  },
  LeakyRelu: (node, reader) => {
    const x = reader.value(node, 0);
    const slope = node.attributes.get("alpha")?.float ?? Math.fround(0.01);
    leaky(node, reader, x, new Float64Array(count(x.dims)).fill(slope));
  },
  PRelu: (node, reader) => {
    const x = reader.value(node, 0);
    const slopes = reader.constant(node, 1)!;
    if (slopes.error !== 0) throw unsupported(node, "with slopes that are not exact");
    leaky(node, reader, x, spread(node, slopes, x.dims));
  },
  Clip: (node, reader) => {
    const limit = (input: number, name: string, fallback: number) =>
      exact(node, reader.constant(node, input))?.values[0] ?? node.attributes.get(name)?.float ??
        fallback;
    const [low, high] = [limit(1, "min", -Infinity), limit(2, "max", Infinity)];
    if (reader.grids.has(node.inputs[0]!)) return narrowGrid(node, reader, low, high);
    clamp(node, reader, reader.value(node, 0), low, high);
  },
  Sigmoid: curve,
  Tanh: curve,
  Max: (node, reader) => extreme(node, reader, 1),
  Min: (node, reader) => extreme(node, reader, -1),
};

function curve(node: OnnxNode, reader: NetworkReader): void {
  const { number, dims } = reader.value(node, 0);
  const name = node.operator === "Tanh" ? "Tanh" : "Sigmoid";
  reader.add(node, { kind: "curve", size: count(dims), input: number, function: name }, dims);
}

function relu(node: OnnxNode, reader: NetworkReader, { number, dims }: Value): Value {
  return reader.add(node, { kind: "relu", size: count(dims), input: number }, dims);
}

/** s·x + (1 − s)·max(0, x). */
function leaky(node: OnnxNode, reader: NetworkReader, x: Value, slopes: Float64Array): void {
  const rectified = relu(node, reader, x);
  // 1 − s is rounded.
  addAffine(
    node,
    reader,
    [
      { input: x.number, matrix: diagonal(slopes) },
      { input: rectified.number, matrix: diagonal(slopes.map((slope) => 1 - slope)) },
    ],
    x.dims,
    { weightError: UNIT },
  );
}

function extreme(node: OnnxNode, reader: NetworkReader, sign: 1 | -1): void {
  const first = reader.isValue(node, 0);
  const limits = node.inputs.length === 2 && !(first && reader.isValue(node, 1))
    ? exact(node, reader.constant(node, first ? 1 : 0))
    : undefined;
  const limit = limits?.values[0];
  if (limit === undefined || limits!.values.some((value) => value !== limit)) {
    throw unsupported(node, "of something else than a value and a constant number");
  }
  const x = reader.value(node, first ? 0 : 1);
  clamp(node, reader, x, sign > 0 ? limit : -Infinity, sign > 0 ? Infinity : limit);
}

function exact(node: OnnxNode, limit: Constant | undefined): Constant | undefined {
  if (limit === undefined || limit.error === 0) return limit;
  throw unsupported(node, "with limits that are not exact");
}

/** The largest float32 and what is beyond it bound nothing. */
const UNREACHED = 3.4e38;

/** low + max(0, x − low) − max(0, x − high), without what no number reaches. */
function clamp(
  node: OnnxNode,
  reader: NetworkReader,
  x: Value,
  low: number,
  high: number,
): void {
  if (!(low <= high)) throw unsupported(node, `from ${low} to ${high}`);
  const [hasLow, hasHigh] = [low > -UNREACHED, high < UNREACHED];
  if (!hasLow && !hasHigh) return reader.alias(node, x, x.dims);
  const size = count(x.dims);
  const above = (limit: number) => {
    if (limit === 0) return relu(node, reader, x);
    const offset = new Float64Array(size).fill(-limit);
    const terms = [{ input: x.number, matrix: identity(size) }];
    return relu(node, reader, addAffine(node, reader, terms, x.dims, { offset }));
  };
  const lower = hasLow ? above(low) : x;
  if (low === 0 && !hasHigh) return;
  const terms = [{ input: lower.number, matrix: identity(size) }];
  if (hasHigh) terms.push({ input: above(high).number, matrix: identity(size, -1) });
  const offset = new Float64Array(size).fill(hasLow ? low : 0);
  addAffine(node, reader, terms, x.dims, { offset });
}

/**
 * Convolutions with a stride that read their input shifted at random.
 *
 * A convolution with a stride looks at some positions more often than at others, and images that are optimized through
 * it show that as a checkerboard. Shifting its input by up to one position at every step, mirrored at the border, takes
 * that away (Jeon et al., "Genie: Show Me the Data for Quantization", 2023, section 3.2).
 *
 * @module
 */

import type { Emitter } from "../../engine/autodiff/emitter.ts";
import { getInts } from "../../onnx/attributes.ts";
import type { Graph } from "../../onnx/model.ts";
import { float32 } from "../../onnx/tensor.ts";

/** How far an input moves at most. */
const REACH = 1;

/**
 * Shifts the inputs of all convolutions with a stride, in place.
 *
 * @param emit Extends the graph; what it emits comes before the convolutions once nodes are sorted.
 * @param sizes Shapes of values.
 * @returns Names and shapes of the uniform random numbers that decide the shifts.
 */
export function swingStridedConvolutions(
  graph: Graph,
  emit: Emitter,
  sizes: ReadonlyMap<string, readonly number[]>,
): Map<string, readonly number[]> {
  const uniform = new Map<string, readonly number[]>();
  for (const node of [...graph.nodes]) {
    if (node.opType !== "Conv" || node.domain !== "") continue;
    const dims = sizes.get(node.inputs[0]!);
    if (dims?.length !== 4) continue;
    const strides = getInts(node, "strides", [1, 1]);
    node.inputs[0] = strides.reduce((value, stride, index) => {
      const size = dims[2 + index]!;
      if (stride === 1 || size <= REACH) return value;
      const name = `swing/uniform/${uniform.size}`;
      uniform.set(name, [1]);
      return shifted(emit, value, size, index, name);
    }, node.inputs[0]!);
  }
  return uniform;
}

/** One axis of an image shifted: a product with one of the matrices that do that. */
function shifted(
  emit: Emitter,
  value: string,
  size: number,
  axis: number,
  uniform: string,
): string {
  const choices = 2 * REACH + 1;
  const table = new Float32Array(choices * size * size);
  for (let choice = 0; choice < choices; choice++) {
    for (let to = 0; to < size; to++) {
      const from = mirrored(to + choice - REACH, size);
      // Rows are moved from the left, columns from the right, with the transposed matrix.
      const at = axis === 0 ? to * size + from : from * size + to;
      table[choice * size * size + at] = 1;
    }
  }
  const drawn = emit.mul(uniform, emit.scalar(choices, "float32"));
  const choice = emit.op("Cast", [drawn], { to: 7 });
  const matrices = emit.constant(float32([choices, size, size], table), "shifts");
  const matrix = emit.reshape(emit.op("Gather", [matrices, choice], { axis: 0 }), [size, size]);
  return emit.op("MatMul", axis === 0 ? [matrix, value] : [value, matrix]);
}

/** A position beyond the border, seen in a mirror at the outermost one. */
export function mirrored(position: number, size: number): number {
  if (position < 0) return -position;
  return position < size ? position : 2 * (size - 1) - position;
}

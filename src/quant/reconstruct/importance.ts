/**
 * How much each value of a unit's output matters to what the network answers.
 *
 * The diagonal of the Fisher information (Li et al., BRECQ, 2021, section 3.3): the squared gradient, item by item, of
 * the divergence of the answers from those of the float network, with the unit quantized and what follows it in float.
 * Clipped, because a few values would otherwise count for all, and with mean 1, so that losses stay comparable.
 *
 * @module
 */

import { gradientGraph, gradientName } from "../../engine/autodiff/gradient.ts";
import { Emitter } from "../../engine/autodiff/emitter.ts";
import { openSession } from "../../engine/session.ts";
import { inferShapes } from "../../engine/shapes.ts";
import type { ValueInfo } from "../../onnx/model.ts";
import type { Tensor } from "../../onnx/tensor.ts";
import type { ItemStorage, ItemValues } from "./item_values.ts";
import { logitsOf } from "./logits.ts";
import { pieceItems, type PieceOptions, type Prefix } from "./prefix.ts";
import { sliceModel, sliceOf } from "./slice.ts";

/** Times the mean at which squared gradients are clipped. */
const LARGEST = 10;
const WANTED = "importance/logits";
const LOSS = "importance/divergence";

/**
 * The importance of a value of the float network, in its shape.
 *
 * @param float The float network, whose logits and values beside the unit are computed as needed.
 * @param target Which of its values.
 * @param actual What the quantized network has in its place.
 */
export async function importanceOf(
  float: Prefix,
  target: string,
  actual: ItemValues,
  storage: ItemStorage,
  { threads, signal }: PieceOptions,
): Promise<ItemValues> {
  const { model } = float;
  const logits = logitsOf(model);
  if (logits === target) return uniform(actual, storage);
  await float.compute([logits]);
  const wanted = float.get(logits);
  const items = wanted.dims[0]!;
  const { nodes, leaves } = sliceOf(
    model.graph,
    [logits],
    (name) => name === target || name !== logits && float.has(name),
  );
  const valueOf = (name: string) => name === target ? actual : float.get(name);
  const batch = Math.min(pieceItems(leaves.map(valueOf)), items);
  const info = (name: string, { type, dims }: ItemValues): ValueInfo => ({
    name,
    type,
    dims: [batch, ...dims.slice(1)],
  });
  const inputs = leaves.map((name) => info(name, valueOf(name)));
  const part = sliceModel(model, nodes, [...inputs, info(WANTED, wanted)], [logits]);
  const emit = new Emitter(part.graph, "importance");
  const distance = emit.sub(
    emit.op("LogSoftmax", [WANTED], { axis: 1 }),
    emit.op("LogSoftmax", [logits], { axis: 1 }),
  );
  const terms = emit.mul(emit.op("Softmax", [WANTED], { axis: 1 }), distance);
  emit.alias(emit.op("ReduceSum", [terms], { keepdims: 0 }), LOSS);
  part.graph.outputs = [{ name: LOSS, type: "float32", dims: [] }];
  const types = await inferShapes(part);
  const gradient = gradientGraph(part, { loss: LOSS, withRespectTo: [target], types });
  const output = gradientName(target);
  const square = new Emitter(gradient, "square");
  gradient.outputs = [{
    name: square.mul(output, output),
    type: "float32",
    dims: undefined,
  }];
  await using session = await openSession({ ...part, graph: gradient }, { threads });
  let result: ItemValues | undefined;
  let sum = 0;
  for (let done = 0; done < items; done += batch) {
    signal.throwIfAborted();
    // Gradients are compiled for one batch size: the last batch begins earlier instead of being smaller.
    const start = Math.min(done, items - batch);
    const feeds: Record<string, Tensor> = { [WANTED]: wanted.read(start, batch) };
    for (const name of leaves) {
      feeds[name] = valueOf(name).read(start, batch);
    }
    const squares = Object.values(await session.run(feeds))[0]!;
    result ??= storage.allocate(squares, items);
    result.write(start, squares);
  }
  for (let start = 0; start < items; start += batch) {
    const { data } = result!.read(start, Math.min(batch, items - start));
    for (const value of data as Float32Array) sum += value;
  }
  clip(result!, sum, batch);
  return result!;
}

/** Clips to a multiple of the mean and scales to mean 1. */
function clip(values: ItemValues, sum: number, batch: number): void {
  const items = values.dims[0]!;
  const count = values.dims.reduce((product, dim) => product * dim, 1);
  const most = LARGEST * sum / count;
  let clipped = 0;
  const each = (change: (data: Float32Array) => void) => {
    for (let start = 0; start < items; start += batch) {
      const rows = values.read(start, Math.min(batch, items - start));
      const data = (rows.data as Float32Array).slice();
      change(data);
      values.write(start, { ...rows, data });
    }
  };
  each((data) => {
    for (let index = 0; index < data.length; index++) {
      data[index] = Math.min(data[index]!, most);
      clipped += data[index]!;
    }
  });
  const factor = clipped > 0 ? count / clipped : 0;
  each((data) => {
    for (let index = 0; index < data.length; index++) {
      data[index] = factor === 0 ? 1 : data[index]! * factor;
    }
  });
}

/** The logits themselves matter alike. */
function uniform(like: ItemValues, storage: ItemStorage): ItemValues {
  const rows = like.read(0, like.dims[0]!);
  const ones = { ...rows, data: new Float32Array(rows.data.length).fill(1) };
  const values = storage.allocate(ones, like.dims[0]!);
  values.write(0, ones);
  return values;
}

/**
 * Writing activation quantizers.
 *
 * Activations are stored unsigned, signed grids shifted by half their range: that is what ONNX Runtime computes with
 * integers on x86, and the same numbers.
 *
 * @module
 */

import { constantValue, producers, replaceUses } from "../../onnx/edit.ts";
import type { Graph, Node } from "../../onnx/model.ts";
import { scalar, type Tensor } from "../../onnx/tensor.ts";
import { type Grid, type QuantizationParameters, roundHalfEven } from "../grid.ts";

import { ruleOf } from "../placement/operators.ts";
import { markBits, markValue } from "./metadata.ts";
import { addConstant, makeNode } from "./nodes.ts";
import {
  type Encoding,
  integerTensor,
  isPacked,
  type QuantizedType,
  storageType,
  typeRange,
} from "./storage.ts";

/** How an activation quantizer is written. */
export interface ActivationForm {
  readonly encoding: Encoding;
  /** Whether the value is known to lie on the grid already, so that nothing needs clipping. */
  readonly repeat?: boolean;
  /** Whether the model gives the quantized value out too; else its outputs keep the float value. */
  readonly outputs?: boolean;
}

/**
 * Lets everything that reads a value read it quantized.
 *
 * @param parameters One scale and zero point.
 * @returns The name of the quantized, dequantized value.
 */
export function quantizeActivation(
  graph: Graph,
  value: string,
  parameters: QuantizationParameters,
  { encoding, repeat = false, outputs = false }: ActivationForm,
): string {
  const grid = unsigned(parameters.grid);
  const offset = grid.qmin - parameters.grid.qmin;
  const type = activationType(grid, encoding);
  const scale = addConstant(graph, `${value}.scale`, scalar(parameters.scale[0]!));
  const zeroPoint = parameters.zeroPoint[0]! + offset;
  const zero = addConstant(graph, `${value}.zero_point`, integerTensor(type, [], [zeroPoint]));
  const packed = isPacked(type);
  const bounds = repeat ? undefined : clipBounds(grid, type);
  const nodes: Node[] = [];
  let last = value;
  const add = (opType: string, inputs: string[], name: string) => {
    const node = makeNode(graph, opType, inputs, `${value}.${name}`);
    nodes.push(node);
    last = node.outputs[0]!;
    return node;
  };
  const lowest = () =>
    addConstant(
      graph,
      `${value}.lowest`,
      scalar(Math.fround((grid.qmin - zeroPoint) * parameters.scale[0]!)),
    );
  if (packed || bounds !== undefined) last = beforeIdleClip(graph, value, parameters);
  if (packed && mergesWithQuantizer(graph, last)) add("Max", [last, lowest()], "guard");
  add("QuantizeLinear", [last, scale, zero], "quantized");
  if (bounds !== undefined) {
    const [low, high] = bounds.map((bound, index) =>
      addConstant(graph, `${value}.${index === 0 ? "qmin" : "qmax"}`, bound)
    );
    add("Clip", [last, low!, high!], "clipped");
  }
  const dequantize = add("DequantizeLinear", [last, scale, zero], "dequantized");
  markBits(dequantize, grid.bits);
  markValue(dequantize, value);
  if (packed) add("Max", [last, lowest()], "guarded");
  insertAfterMaker(graph, value, nodes);
  return replaceUses(graph, value, last, { except: new Set(nodes), outputs }).to;
}

/**
 * Lets some nodes read a value quantized to 8 bits with a scale that is found at run time, over the whole batch.
 *
 * @param readers The nodes that read the quantized value.
 */
export function quantizeDynamically(
  graph: Graph,
  value: string,
  readers: ReadonlySet<Node>,
): string {
  const quantize = makeNode(graph, "DynamicQuantizeLinear", [value], `${value}.quantized`);
  const [quantized] = quantize.outputs as [string];
  quantize.outputs.push(`${quantized}.scale`, `${quantized}.zero_point`);
  const dequantize = makeNode(
    graph,
    "DequantizeLinear",
    [...quantize.outputs],
    `${value}.dequantized`,
  );
  markBits(dequantize, 8);
  markValue(dequantize, value);
  insertAfterMaker(graph, value, [quantize, dequantize]);
  const others = graph.nodes.filter((node) => !readers.has(node));
  replaceUses(graph, value, dequantize.outputs[0]!, { except: new Set(others), outputs: false });
  return dequantize.outputs[0]!;
}

/**
 * The type that holds the integers of an activation. Below 8 bits it is a narrow one only if it holds exactly the grid,
 * because Clip does not take such types.
 */
export function activationType(grid: Grid, encoding: Encoding): QuantizedType {
  const { bits, qmin, qmax } = unsigned(grid);
  const type = storageType({ bits, signed: false }, encoding);
  const range = typeRange(type)!;
  const exact = range.min === qmin && range.max === qmax;
  return exact ? type : storageType({ bits, signed: false }, "container");
}

/** The same grid, counted from zero. */
function unsigned(grid: Grid): Grid {
  if (!grid.signed) return grid;
  const offset = 2 ** (grid.bits - 1);
  return { ...grid, signed: false, qmin: grid.qmin + offset, qmax: grid.qmax + offset };
}

/** The ends of a grid that is narrower than the type that holds it. */
function clipBounds(grid: Grid, type: QuantizedType): [Tensor, Tensor] | undefined {
  const range = typeRange(type)!;
  if (range.min === grid.qmin && range.max === grid.qmax) return undefined;
  return [integerTensor(type, [], [grid.qmin]), integerTensor(type, [], [grid.qmax])];
}

/**
 * The input of the Clip that makes a value, where the quantizer clips at least as much; else the value itself. A Clip in
 * between would keep ONNX Runtime from computing in integers, or fail on types below 8 bits.
 */
function beforeIdleClip(
  graph: Graph,
  value: string,
  { scale, zeroPoint, grid }: QuantizationParameters,
): string {
  const maker = producers(graph).get(value);
  if (maker?.opType !== "Clip" || maker.domain !== "") return value;
  const [input, low = "", high = ""] = maker.inputs as [string, string?, string?];
  const integerAt = (bound: string) => {
    const tensor = constantValue(graph, bound);
    if (tensor?.type !== "float32") return undefined;
    const ratio = Math.fround((tensor.data as Float32Array)[0]! / scale[0]!);
    return roundHalfEven(ratio) + zeroPoint[0]!;
  };
  const lowest = low === "" ? -Infinity : integerAt(low);
  const highest = high === "" ? Infinity : integerAt(high);
  const idle = lowest !== undefined && highest !== undefined && lowest <= grid.qmin &&
    highest >= grid.qmax;
  return idle ? input : value;
}

/**
 * Whether ONNX Runtime would merge a quantizer with what makes its input, and fail on types below 8 bits: Clip, and
 * operators that move values.
 */
function mergesWithQuantizer(graph: Graph, value: string): boolean {
  const maker = producers(graph).get(value);
  return maker !== undefined &&
    (maker.opType === "Clip" || ruleOf(maker, graph)?.role === "move");
}

function insertAfterMaker(graph: Graph, value: string, nodes: readonly Node[]): void {
  const maker = graph.nodes.findIndex((node) => node.outputs.includes(value));
  graph.nodes.splice(maker + 1, 0, ...nodes);
}

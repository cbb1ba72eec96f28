/**
 * What quantized models say about themselves beyond ONNX, under keys that other tools ignore. Nothing here is needed to
 * run them.
 *
 * @module
 */

import type { Node } from "../../onnx/model.ts";

const BITS = "bitbound.bits";
const VALUE = "bitbound.value";

/** Notes at a DequantizeLinear how many bits the values take, where their type is wider. */
export function markBits(node: Node, bits: number): void {
  node.metadata ??= new Map();
  node.metadata.set(BITS, String(bits));
}

/** The width noted at a node. */
export function markedBits(node: Node): number | undefined {
  const text = node.metadata?.get(BITS);
  const bits = text === undefined ? NaN : Number(text);
  return Number.isInteger(bits) && bits >= 1 && bits <= 16 ? bits : undefined;
}

/** Notes at a DequantizeLinear which value of the float model it stands for. */
export function markValue(node: Node, value: string): void {
  node.metadata ??= new Map();
  node.metadata.set(VALUE, value);
}

/** The value of the float model noted at a node. */
export function markedValue(node: Node): string | undefined {
  return node.metadata?.get(VALUE);
}

/**
 * Making and reading node attributes.
 *
 * @module
 */

import { UserError } from "../base/errors.ts";
import type { Attribute, AttributeValue, Graph, Node } from "./model.ts";
import type { Tensor } from "./tensor.ts";

/** An integer attribute. */
export function int(value: number | bigint): Attribute {
  requireInteger(value);
  return { kind: "int", value };
}

/** A float attribute; files hold it in float32. */
export function float(value: number): Attribute {
  return { kind: "float", value };
}

/** A string attribute. */
export function string(value: string): Attribute {
  return { kind: "string", value };
}

/** A list of integers. */
export function ints(value: readonly (number | bigint)[]): Attribute {
  value.forEach(requireInteger);
  return { kind: "ints", value };
}

/** A list of floats; files hold them in float32. */
export function floats(value: readonly number[]): Attribute {
  return { kind: "floats", value };
}

/** A list of strings. */
export function strings(value: readonly string[]): Attribute {
  return { kind: "strings", value };
}

/** A tensor attribute. */
export function tensorAttribute(value: Tensor): Attribute {
  return { kind: "tensor", value };
}

/** A graph attribute: the body of an `If`, `Loop` or `Scan`. */
export function graphAttribute(value: Graph): Attribute {
  return { kind: "graph", value };
}

/**
 * An integer attribute of a node, or the fallback where the node does not have it.
 *
 * @throws {UserError} If the attribute is of another kind, or too large for a number.
 */
export function getInt(node: Node, name: string, fallback: number): number;
export function getInt(node: Node, name: string): number | undefined;
export function getInt(node: Node, name: string, fallback?: number): number | undefined {
  const value = get(node, name, "int");
  return value === undefined ? fallback : exact(node, name, value);
}

/** A float attribute of a node, or the fallback where the node does not have it. */
export function getFloat(node: Node, name: string, fallback: number): number;
export function getFloat(node: Node, name: string): number | undefined;
export function getFloat(node: Node, name: string, fallback?: number): number | undefined {
  return get(node, name, "float") ?? fallback;
}

/** A string attribute of a node, or the fallback where the node does not have it. */
export function getString(node: Node, name: string, fallback: string): string;
export function getString(node: Node, name: string): string | undefined;
export function getString(node: Node, name: string, fallback?: string): string | undefined {
  return get(node, name, "string") ?? fallback;
}

/** A list of integers of a node, or the fallback where the node does not have it. */
export function getInts(node: Node, name: string, fallback: readonly number[]): number[];
export function getInts(node: Node, name: string): number[] | undefined;
export function getInts(
  node: Node,
  name: string,
  fallback?: readonly number[],
): number[] | undefined {
  const value = get(node, name, "ints");
  if (value === undefined) return fallback && [...fallback];
  return value.map((item) => exact(node, name, item));
}

/** A list of floats of a node, or the fallback where the node does not have it. */
export function getFloats(node: Node, name: string, fallback: readonly number[]): number[];
export function getFloats(node: Node, name: string): number[] | undefined;
export function getFloats(
  node: Node,
  name: string,
  fallback?: readonly number[],
): number[] | undefined {
  const value = get(node, name, "floats") ?? fallback;
  return value && [...value];
}

/** A tensor attribute of a node. */
export function getTensor(node: Node, name: string): Tensor | undefined {
  return get(node, name, "tensor");
}

/** A graph attribute of a node. */
export function getGraph(node: Node, name: string): Graph | undefined {
  return get(node, name, "graph");
}

/** The graphs that a node holds in its attributes: the bodies of `If`, `Loop` and `Scan`. */
export function subgraphs(node: Node): Graph[] {
  const found: Graph[] = [];
  for (const attribute of node.attributes.values()) {
    if (attribute.kind === "graph") found.push(attribute.value);
    else if (attribute.kind === "graphs") found.push(...attribute.value);
  }
  return found;
}

/** How messages name a node: `"conv1" (Conv)`, or by its first output where it has no name. */
export function describeNode(node: Node): string {
  const operator = node.domain === "" ? node.opType : `${node.domain}.${node.opType}`;
  if (node.name !== "") return `"${node.name}" (${operator})`;
  return `${operator} that makes "${node.outputs.find((output) => output !== "") ?? ""}"`;
}

type ValueOfKind = { [A in AttributeValue as A["kind"]]: A["value"] };

function get<K extends keyof ValueOfKind>(
  node: Node,
  name: string,
  kind: K,
): ValueOfKind[K] | undefined {
  const attribute = node.attributes.get(name);
  if (attribute === undefined) return undefined;
  if (attribute.kind !== kind) {
    throw new UserError(
      `Attribute "${name}" of node ${describeNode(node)} must be of kind ${kind}: ` +
        `the model has ${attribute.kind}`,
    );
  }
  return attribute.value as ValueOfKind[K];
}

function exact(node: Node, name: string, value: number | bigint): number {
  const result = Number(value);
  if (!Number.isSafeInteger(result)) {
    // Exporters write the largest and smallest int64 for "to the end".
    if (value === 0x7fffffffffffffffn || value === -0x8000000000000000n) return result;
    throw new UserError(
      `Attribute "${name}" of node ${describeNode(node)} is too large to be exact: ${value}`,
    );
  }
  return result;
}

function requireInteger(value: number | bigint): void {
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new TypeError(`An integer attribute must be a safe integer: current value is ${value}`);
  }
}

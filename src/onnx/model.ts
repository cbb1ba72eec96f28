/**
 * A model as a value that is easy to read and edit: plain data, names as references.
 *
 * `read.ts` makes it from a file, `write.ts` writes it, `edit.ts` changes it. A graph owns its arrays and
 * maps and may be edited in place; tensors are shared between copies and never written to.
 *
 * @module
 */

import type { DataType, Tensor } from "./tensor.ts";

/** A dimension: a number, a symbolic name such as `"batch"`, or unknown. */
export type Dimension = number | string | undefined;

/** What is known of a value that is not a plain tensor, kept only so that it survives a round trip. */
export interface OpaqueType {
  readonly kind: "sequence" | "map" | "optional" | "sparse" | "unknown";
  /** The encoded `TypeProto`. */
  readonly bytes: Uint8Array;
}

/** The declared type and shape of a named value. */
export interface ValueInfo {
  name: string;
  /** Element type; `undefined` when the file does not say or `opaque` is set. */
  type: DataType | undefined;
  /** Shape; `undefined` when the rank is unknown. */
  dims: Dimension[] | undefined;
  opaque?: OpaqueType;
  doc?: string;
  /** Parts of the `ValueInfoProto` that nothing here edits (denotations, metadata), encoded. */
  rest?: Uint8Array;
}

/** A node attribute. Integers are numbers where they fit exactly, else bigints. */
export type Attribute = AttributeValue & { readonly doc?: string };

/** The value of an attribute, by its kind. */
export type AttributeValue =
  | { readonly kind: "int"; readonly value: number | bigint }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "bytes"; readonly value: Uint8Array }
  | { readonly kind: "tensor"; readonly value: Tensor }
  | { readonly kind: "graph"; readonly value: Graph }
  | { readonly kind: "ints"; readonly value: readonly (number | bigint)[] }
  | { readonly kind: "floats"; readonly value: readonly number[] }
  | { readonly kind: "strings"; readonly value: readonly string[] }
  | { readonly kind: "tensors"; readonly value: readonly Tensor[] }
  | { readonly kind: "graphs"; readonly value: readonly Graph[] }
  /** Anything else (sparse tensors, types, references inside functions): the encoded `AttributeProto`. */
  | { readonly kind: "opaque"; readonly value: Uint8Array };

/** One operator call. An input or output that is left out is the empty string. */
export interface Node {
  name: string;
  opType: string;
  /** `""` is the standard ONNX domain (also spelled `ai.onnx` in files). */
  domain: string;
  inputs: string[];
  outputs: string[];
  attributes: Map<string, Attribute>;
  doc?: string;
  metadata?: Map<string, string>;
  /** Parts of the `NodeProto` that nothing here edits (overload, devices), encoded. */
  rest?: Uint8Array;
}

/** A computation graph, in topological order once `sortNodes` has run. */
export interface Graph {
  name: string;
  nodes: Node[];
  inputs: ValueInfo[];
  outputs: ValueInfo[];
  /** Constant tensors by name. */
  initializers: Map<string, Tensor>;
  /** Constant tensors in sparse form by name, each an encoded `SparseTensorProto`; absent when there are none. */
  sparse?: Map<string, Uint8Array>;
  /** Known types of intermediate values by name. */
  values: Map<string, ValueInfo>;
  doc?: string;
  /** Parts of the `GraphProto` that nothing here edits, encoded, so that a round trip keeps them. */
  rest?: Uint8Array;
}

/** A whole model. */
export interface Model {
  irVersion: number;
  /** Operator set versions by domain; `""` is the standard one. */
  opsets: Map<string, number>;
  producerName: string;
  producerVersion: string;
  modelVersion: number | bigint;
  domain: string;
  doc?: string;
  /** `metadata_props`. */
  metadata: Map<string, string>;
  graph: Graph;
  /** Parts of the `ModelProto` that nothing here edits (functions, training info), encoded. */
  rest?: Uint8Array;
}

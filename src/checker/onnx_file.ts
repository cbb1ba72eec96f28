/**
 * As much of an ONNX file as a checker needs: nodes, constants, and the shapes of inputs.
 *
 * @module
 */

import { Refusal } from "./refusal.ts";
import { type Field, fieldsOf, packedIntegers } from "./wire.ts";

/** A constant tensor. */
export interface Constant {
  readonly dims: readonly number[];
  /** Exact up to `error`. */
  readonly values: Float64Array;
  /** A bound on |value − real value| over |real value|. */
  readonly error: number;
  /** The element type's number in ONNX. */
  readonly type: number;
}

/** One attribute, whatever its kind. */
export interface AttributeValue {
  readonly integer: number;
  readonly integers: readonly number[];
  readonly float: number;
  readonly text: string;
  readonly tensor: Constant | undefined;
}

/** A call of an operator. */
export interface OnnxNode {
  readonly name: string;
  readonly operator: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, AttributeValue>;
}

/** A graph's boundary: a name, its element type's number in ONNX, and its shape, −1 where that is open. */
export interface Boundary {
  readonly name: string;
  readonly type: number;
  readonly dims: readonly number[];
}

/** What a file holds. */
export interface OnnxFile {
  readonly nodes: readonly OnnxNode[];
  readonly constants: ReadonlyMap<string, Constant>;
  readonly inputs: readonly Boundary[];
  readonly outputs: readonly Boundary[];
}

/** @throws {Refusal} If it is no ONNX file, or keeps its weights in another one. */
export function readOnnx(bytes: Uint8Array): OnnxFile {
  try {
    const model = [...fieldsOf(bytes)];
    const graph = only(model, 7);
    if (graph === undefined) throw new Refusal("A model file has no graph");
    checkModel(model);
    const nodes: OnnxNode[] = [];
    const constants = new Map<string, Constant>();
    const inputs: Boundary[] = [];
    const outputs: Boundary[] = [];
    for (const { number, bytes: part } of fieldsOf(graph)) {
      if (number === 1) nodes.push(readNode(part));
      else if (number === 5) {
        const { name, constant } = readTensor(part);
        if (constants.has(name)) throw new Refusal(`A model holds the constant "${name}" twice`);
        constants.set(name, constant);
      } else if (number === 11) inputs.push(readBoundary(part));
      else if (number === 12) outputs.push(readBoundary(part));
    }
    return { nodes, constants, inputs, outputs };
  } catch (error) {
    if (error instanceof RangeError) {
      throw new Refusal(`A model file is no ONNX file: ${error.message}`);
    }
    throw error;
  }
}

/** Operators had other meanings before, such as broadcasting along an axis that an attribute names. */
const LEAST_OPSET = 7;

/** Refuses models whose operators may mean something else than they do here. */
function checkModel(fields: readonly Field[]): void {
  if (fields.some(({ number }) => number === 25)) {
    throw new Refusal("A model defines functions of its own, which this checker does not support");
  }
  const opset = fields.filter(({ number }) => number === 8).map(({ bytes }) => {
    const own = [...fieldsOf(bytes)];
    const isStandard = ["", "ai.onnx"].includes(text(only(own, 1) ?? new Uint8Array()));
    return isStandard ? own.findLast(({ number }) => number === 2)?.integer ?? 0 : Infinity;
  }).reduce((least, version) => Math.min(least, version), Infinity);
  if (opset < LEAST_OPSET || opset === Infinity) {
    throw new Refusal(
      `A model is of operator set ${
        opset === Infinity ? "none" : opset
      }: this checker knows those ` +
        `from ${LEAST_OPSET} on`,
    );
  }
}

function readNode(bytes: Uint8Array): OnnxNode {
  let [name, operator, domain] = ["", "", ""];
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, AttributeValue>();
  for (const { number, bytes: part } of fieldsOf(bytes)) {
    if (number === 1) inputs.push(text(part));
    else if (number === 2) outputs.push(text(part));
    else if (number === 3) name = text(part);
    else if (number === 4) operator = text(part);
    else if (number === 5) attributes.set(...readAttribute(part));
    else if (number === 7) domain = text(part);
  }
  return { name, operator, domain, inputs, outputs, attributes };
}

function readAttribute(bytes: Uint8Array): [string, AttributeValue] {
  let name = "";
  const value = {
    integer: 0,
    integers: [] as number[],
    float: 0,
    text: "",
    tensor: undefined as Constant | undefined,
  };
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) name = text(field.bytes);
    else if (field.number === 2) value.float = view(field.bytes).getFloat32(0, true);
    else if (field.number === 3) value.integer = field.integer;
    else if (field.number === 4) value.text = text(field.bytes);
    else if (field.number === 5) value.tensor = readTensor(field.bytes).constant;
    else if (field.number === 8) value.integers.push(...integersOf(field));
  }
  return [name, value];
}

function readBoundary(bytes: Uint8Array): Boundary {
  const name = text(only(fieldsOf(bytes), 1) ?? new Uint8Array());
  const type = only(fieldsOf(bytes), 2) ?? new Uint8Array();
  const tensor = only(fieldsOf(type), 1) ?? new Uint8Array();
  const shape = only(fieldsOf(tensor), 2) ?? new Uint8Array();
  const element = [...fieldsOf(tensor)].find(({ number }) => number === 1);
  const dims: number[] = [];
  for (const { number, bytes: dim } of fieldsOf(shape)) {
    if (number !== 1) continue;
    const value = [...fieldsOf(dim)].find((field) => field.number === 1);
    dims.push(value?.integer ?? -1);
  }
  return { name, type: element?.integer ?? 0, dims };
}

/** Bits and signs of the packed integer types, by their numbers in ONNX. */
const PACKED: Readonly<Record<number, readonly [bits: number, signed: boolean]>> = {
  21: [4, false],
  22: [4, true],
  25: [2, false],
  26: [2, true],
};

function readTensor(bytes: Uint8Array): { name: string; constant: Constant } {
  const dims: number[] = [];
  let [name, type] = ["", 0];
  let raw: Uint8Array | undefined;
  const listed: number[] = [];
  for (const field of fieldsOf(bytes)) {
    const { number, bytes: part } = field;
    if (number === 1) dims.push(...integersOf(field));
    else if (number === 2) type = field.integer;
    else if (number === 4) listed.push(...floatsOf(part, 4));
    else if (number === 10) listed.push(...floatsOf(part, 8));
    else if (number === 5 || number === 7 || number === 11) listed.push(...integersOf(field));
    else if (number === 8) name = text(part);
    else if (number === 9) raw = part;
    else if (number === 13 || (number === 14 && field.integer === 1)) {
      throw new Refusal(
        `Constant "${name}" is kept in another file: this checker reads single files`,
      );
    }
  }
  const count = dims.reduce((product, dim) => product * dim, 1);
  const values = raw === undefined ? fromList(type, listed, count) : fromRaw(type, raw, count);
  if (values.length !== count) {
    throw new Refusal(`Constant "${name}" has ${values.length} elements instead of ${count}`);
  }
  return { name, constant: { dims, values, error: 0, type } };
}

function fromRaw(type: number, raw: Uint8Array, count: number): Float64Array {
  const packed = PACKED[type];
  if (packed !== undefined) return unpack(raw, packed[0], packed[1], count);
  const size = ({ 1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4 } as Record<
    number,
    number
  >)[type];
  if (size === undefined) throw new Refusal(`Constants of the ONNX type ${type} are not supported`);
  const data = view(raw);
  const read = (at: number): number => {
    switch (type) {
      case 1:
        return data.getFloat32(at, true);
      case 2:
      case 9:
        return data.getUint8(at);
      case 3:
        return data.getInt8(at);
      case 4:
        return data.getUint16(at, true);
      case 5:
        return data.getInt16(at, true);
      case 6:
        return data.getInt32(at, true);
      case 7:
        return Number(data.getBigInt64(at, true));
      case 10:
        return data.getFloat16(at, true);
      case 11:
        return data.getFloat64(at, true);
      default:
        return data.getUint32(at, true);
    }
  };
  const values = new Float64Array(Math.floor(raw.length / size));
  for (let at = 0; at < values.length; at++) values[at] = read(at * size);
  return values;
}

function fromList(type: number, listed: readonly number[], count: number): Float64Array {
  const packed = PACKED[type];
  if (packed !== undefined) return unpack(Uint8Array.from(listed), packed[0], packed[1], count);
  // Half-precision numbers stand as their bits.
  if (type === 10) return Float64Array.from(new Float16Array(Uint16Array.from(listed).buffer));
  return Float64Array.from(listed);
}

function unpack(bytes: Uint8Array, bits: number, signed: boolean, count: number): Float64Array {
  const each = 8 / bits;
  const limit = 2 ** bits;
  return Float64Array.from({ length: Math.min(count, bytes.length * each) }, (_, at) => {
    const value = (bytes[Math.floor(at / each)]! >> (bits * (at % each))) & (limit - 1);
    return signed && value >= limit / 2 ? value - limit : value;
  });
}

function floatsOf(bytes: Uint8Array, size: 4 | 8): number[] {
  const data = view(bytes);
  return Array.from(
    { length: Math.floor(bytes.length / size) },
    (_, at) => size === 4 ? data.getFloat32(at * 4, true) : data.getFloat64(at * 8, true),
  );
}

/** Repeated integers are packed or stand one by one. */
function integersOf({ integer, bytes }: Field): number[] {
  return bytes.length > 0 ? packedIntegers(bytes) : [integer];
}

/** The field of a number. Messages that stand in a file twice would have to be merged. */
function only(fields: Iterable<Field>, number: number): Uint8Array | undefined {
  let found: Uint8Array | undefined;
  for (const field of fields) {
    if (field.number !== number) continue;
    if (found !== undefined) throw new Refusal(`A model file says field ${number} twice`);
    found = field.bytes;
  }
  return found;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

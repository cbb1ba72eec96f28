/**
 * The state of a training run as bytes.
 *
 * A little-endian 32-bit length, that many bytes of JSON (step, and name, type and shape of every tensor), then
 * the tensors' bytes one after another.
 *
 * @module
 */

import { elementCount, type Tensor, tensor } from "../../onnx/tensor.ts";

/** Everything that a run needs to go on. */
export interface TrainingState {
  /** Steps done. */
  readonly step: number;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

interface Header {
  readonly version: 1;
  readonly step: number;
  readonly tensors: readonly { name: string; type: Stored; dims: readonly number[] }[];
}

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const;
type Stored = keyof typeof ARRAYS;

/** @throws {TypeError} If a tensor is of a type that training does not carry. */
export function encodeState({ step, tensors }: TrainingState): Uint8Array {
  const header: Header = {
    version: 1,
    step,
    tensors: [...tensors].map(([name, { type, dims }]) => {
      if (!(type in ARRAYS)) throw new TypeError(`State "${name}" must not be of type ${type}`);
      return { name, type: type as Stored, dims };
    }),
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const parts = [...tensors.values()].map(({ data }) => {
    const { buffer, byteOffset, byteLength } = data as Uint8Array;
    return new Uint8Array(buffer, byteOffset, byteLength);
  });
  const bytes = new Uint8Array(
    parts.reduce((total, part) => total + part.length, 4 + text.length),
  );
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 4);
  let offset = 4 + text.length;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** @throws {RangeError} If the bytes are not a whole checkpoint. */
export function decodeState(bytes: Uint8Array): TrainingState {
  const damaged = () => new RangeError("Checkpoint is damaged or of another kind");
  if (bytes.length < 4) throw damaged();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true);
  let header: Header;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  } catch {
    throw damaged();
  }
  if (header.version !== 1) throw damaged();
  const tensors = new Map<string, Tensor>();
  let offset = 4 + length;
  for (const { name, type, dims } of header.tensors) {
    const Values = ARRAYS[type];
    const size = elementCount(dims) * Values.BYTES_PER_ELEMENT;
    if (offset + size > bytes.length) throw damaged();
    tensors.set(name, tensor(type, dims, new Values(bytes.slice(offset, offset + size).buffer)));
    offset += size;
  }
  if (offset !== bytes.length) throw damaged();
  return { step: header.step, tensors };
}

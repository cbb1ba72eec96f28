/**
 * Writing ONNX models.
 *
 * @module
 */

import { basename } from "../base/path.ts";
import { UserError } from "../base/errors.ts";
import { modelToProto } from "./graph_proto.ts";
import type { Model } from "./model.ts";
import {
  clearField,
  create,
  type GraphProto as GraphMessage,
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
  TensorProtoSchema,
  toBinary,
} from "./protobuf.ts";

/** Tensors smaller than this stay in the model file; the size that other tools use. */
const EXTERNAL_THRESHOLD = 1024;
/** Where external tensors begin, so that a runtime can map the file. */
const PAGE = 4096;
/** Protobuf files end at 2 GiB. */
const MAX_FILE = 2 ** 31 - 1;

/** How a model is written. */
export interface WriteOptions {
  /** Whether tensors of a kilobyte and more go to one `<name>.data` file beside the model; `false` unless told. */
  readonly external?: boolean;
}

/**
 * The bytes of a model's file; the same model always gives the same bytes.
 *
 * @throws {UserError} If they would exceed the 2 GiB that the format allows.
 */
export function encodeModel(model: Model): Uint8Array {
  const bytes = toBinary(ModelProtoSchema, modelToProto(model));
  requireSize(bytes.length);
  return bytes;
}

/**
 * Writes a model so that a reader sees the old file or the new one, never a part.
 *
 * @throws {UserError} If the file cannot be written, or exceeds 2 GiB without `external`.
 */
export async function writeModel(
  model: Model,
  path: string,
  options: WriteOptions = {},
): Promise<void> {
  if (options.external !== true) return await replaceFile(path, [encodeModel(model)]);
  const proto = modelToProto(model);
  const parts = proto.graph ? moveOut(proto.graph, `${basename(path)}.data`) : [];
  const bytes = toBinary(ModelProtoSchema, proto);
  requireSize(bytes.length);
  if (parts.length > 0) await replaceFile(`${path}.data`, parts);
  await replaceFile(path, [bytes]);
}

/** Takes the large initializers' bytes out of a graph. Returns the data file's parts in order. */
function moveOut(graph: GraphMessage, location: string): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const tensor of graph.initializer) {
    const bytes = tensor.rawData;
    if (bytes.length < EXTERNAL_THRESHOLD) continue;
    const padding = (PAGE - offset % PAGE) % PAGE;
    if (padding > 0) parts.push(new Uint8Array(padding));
    offset += padding;
    tensor.externalData = Object.entries({ location, offset, length: bytes.length }).map((
      [key, value],
    ) => create(StringStringEntryProtoSchema, { key, value: `${value}` }));
    tensor.dataLocation = TensorProto_DataLocation.EXTERNAL;
    clearField(tensor, TensorProtoSchema.field.rawData);
    parts.push(bytes);
    offset += bytes.length;
  }
  return parts;
}

async function replaceFile(path: string, parts: readonly Uint8Array[]): Promise<void> {
  const temporary = `${path}.${Deno.pid}-${crypto.randomUUID()}.tmp`;
  let renamed = false;
  try {
    using file = await Deno.open(temporary, { createNew: true, write: true });
    for (const part of parts) {
      for (let done = 0; done < part.length;) done += await file.write(part.subarray(done));
    }
    await file.sync();
    await Deno.rename(temporary, path);
    renamed = true;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(`Model file cannot be written: "${path}": ${reason}`, { cause });
  } finally {
    if (!renamed) await Deno.remove(temporary).catch(() => {});
  }
}

function requireSize(bytes: number): void {
  if (bytes <= MAX_FILE) return;
  throw new UserError({
    message: `The model takes ${bytes} bytes: an ONNX file can hold 2147483647`,
    hint: "Write its weights to a file beside it (external data)",
  });
}

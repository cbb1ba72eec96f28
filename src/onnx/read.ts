/**
 * Reading ONNX models.
 *
 * @module
 */

import { dirname, join } from "../base/path.ts";
import { UserError } from "../base/errors.ts";
import { externalLocations, inlineExternalData, requireInsideFolder } from "./external_data.ts";
import { findFormProblem } from "./file_form.ts";
import { modelFromProto } from "./graph_proto.ts";
import type { Model } from "./model.ts";
import { fromBinary, type ModelProto as ModelMessage, ModelProtoSchema } from "./protobuf.ts";
import { MAX_IR_VERSION, MAX_OPSET } from "./versions.ts";

/** Where a model's bytes come from. */
export interface DecodeOptions {
  /** Gives the bytes of a file beside the model, by the name that the model uses. */
  readonly external?: (location: string) => Uint8Array;
  /** How messages name the model; `"The model"` unless told. */
  readonly name?: string;
}

/**
 * A model from the bytes of an ONNX file. Tensors are copied: the bytes can be let go.
 *
 * @throws {UserError} If the bytes are not a whole ONNX model, need a newer standard than is supported, or keep
 *   tensors in files that `external` does not give.
 */
export function decodeModel(bytes: Uint8Array, options: DecodeOptions = {}): Model {
  const name = options.name ?? "The model";
  return build(parse(bytes, name), name, options.external);
}

/**
 * Reads a model and the files beside it that hold its tensors.
 *
 * @throws {UserError} As {@linkcode decodeModel}, and if a file is missing or cannot be read.
 */
export async function readModel(path: string): Promise<Model> {
  const name = `"${path}"`;
  const proto = parse(await readFile(path, "Model file"), name);
  const files = new Map<string, Uint8Array>();
  for (const location of externalLocations(proto)) {
    requireInsideFolder(location);
    const file = join(dirname(path), location);
    files.set(location, await readFile(file, `Data file of model ${name}`));
  }
  return build(proto, name, (location) => files.get(location)!);
}

/**
 * The names of the files beside a model that hold its tensors, as the model spells them.
 *
 * @throws {UserError} If the bytes are not an ONNX model, or a name leads out of the model's folder.
 */
export function externalFiles(bytes: Uint8Array): string[] {
  const locations = externalLocations(parse(bytes, "The model"));
  locations.forEach(requireInsideFolder);
  return locations;
}

function parse(bytes: Uint8Array, name: string): ModelMessage {
  const problem = findFormProblem(bytes, name);
  if (problem !== undefined) throw new UserError(problem);
  let proto: ModelMessage;
  try {
    proto = fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    throw new UserError({
      message: `${name} is a damaged ONNX model`,
      hint: "Download or export it again",
    }, { cause });
  }
  requireSupported(proto, name);
  return proto;
}

function requireSupported(proto: ModelMessage, name: string): void {
  if (proto.irVersion > BigInt(MAX_IR_VERSION)) {
    throw new UserError({
      message:
        `${name} has ONNX IR version ${proto.irVersion}: the newest supported is ${MAX_IR_VERSION}`,
      hint: `Export it with an IR version of at most ${MAX_IR_VERSION}`,
    });
  }
  for (const { domain, version } of proto.opsetImport) {
    if ((domain === "" || domain === "ai.onnx") && version > BigInt(MAX_OPSET)) {
      throw new UserError({
        message: `${name} has opset ${version}: the newest supported is ${MAX_OPSET}`,
        hint: `Export it with an opset of at most ${MAX_OPSET}`,
      });
    }
  }
}

function build(
  proto: ModelMessage,
  name: string,
  external: ((location: string) => Uint8Array) | undefined,
): Model {
  inlineExternalData(
    proto,
    external ?? ((location) => {
      throw new UserError({
        message: `${name} keeps tensors in another file: "${location}"`,
        hint: "Open the model by its path, so that the file is found",
      });
    }),
  );
  return modelFromProto(proto);
}

async function readFile(path: string, what: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(path);
  } catch (cause) {
    throw new UserError(`${what} ${describeReadError(path, cause)}`, { cause });
  }
}

function describeReadError(path: string, cause: unknown): string {
  if (cause instanceof Deno.errors.NotFound) return `does not exist: "${path}"`;
  if (cause instanceof Deno.errors.IsADirectory) return `is a folder: "${path}"`;
  if (cause instanceof Deno.errors.PermissionDenied || cause instanceof Deno.errors.NotCapable) {
    return `cannot be read, permission denied: "${path}"`;
  }
  return `cannot be read: "${path}": ${cause instanceof Error ? cause.message : cause}`;
}

/**
 * A model in a form that ONNX Runtime opens: bytes in memory, or a file.
 *
 * @module
 */

import { importLater } from "../base/import_later.ts";
import { UserError } from "../base/errors.ts";
import type { Model } from "../onnx/model.ts";

/** Protobuf messages end at 2 GiB; weights beyond this go to a file of their own. */
const LARGEST_MESSAGE = 0x7fff_ffff - 0x100_0000;

/** Bytes or path of a model file, and what removes it when it was made only to be opened. */
export interface ModelSource {
  readonly model: Uint8Array | string;
  release(): Promise<void>;
}

/**
 * @param largest Bytes of weights beyond which a model value goes through files.
 * @throws {UserError} If the file is not there.
 */
export async function sourceOf(
  model: Model | Uint8Array | string,
  largest = LARGEST_MESSAGE,
): Promise<ModelSource> {
  if (model instanceof Uint8Array) return { model, release };
  if (typeof model === "string") {
    if (!await isFile(model)) throw new UserError(`Model file "${model}" does not exist`);
    return { model, release };
  }
  const write = await importLater<typeof import("../onnx/write.ts")>(
    import.meta.resolve("../onnx/write.ts"),
  );
  if (weightBytes(model) <= largest) return { model: write.encodeModel(model), release };
  const folder = await Deno.makeTempDir({ prefix: "bitbound-" });
  const path = `${folder}/model.onnx`;
  await write.writeModel(model, path, { external: true });
  return { model: path, release: () => Deno.remove(folder, { recursive: true }) };
}

async function release(): Promise<void> {}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function weightBytes(model: Model): number {
  let bytes = 0;
  for (const { data } of model.graph.initializers.values()) {
    if (!Array.isArray(data)) bytes += data.byteLength;
  }
  return bytes;
}

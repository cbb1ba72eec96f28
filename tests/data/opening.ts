/**
 * What the tests of data sets share: folders, files, opening an entry.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { decodeBase64 } from "./base64.ts";
import { UserError } from "../../src/base/errors.ts";
import type { Batch, Dataset } from "../../src/data/dataset.ts";
import {
  type DatasetRecipe,
  decodeRecipe,
  describeDataset,
  encodeRecipe,
  openDataset,
} from "../../src/data/recipe.ts";
import type { FieldProblem } from "../../src/data/problems.ts";
import type { DatasetSpec } from "../../src/data/spec.ts";
import { digestFile } from "../../src/store/digest.ts";

/** A folder that is removed with all its files. */
export class Folder implements Disposable {
  readonly path = Deno.makeTempDirSync();

  /** Writes a file; text, base64 (as `{ base64 }`) or bytes. */
  write(name: string, content: string | Uint8Array | { readonly base64: string }): string {
    const path = join(this.path, name);
    Deno.mkdirSync(join(path, ".."), { recursive: true });
    if (typeof content === "string") Deno.writeTextFileSync(path, content);
    else {Deno.writeFileSync(
        path,
        content instanceof Uint8Array ? content : decodeBase64(content.base64),
      );}
    return path;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** Describes an entry; the recipe goes through its bytes, as it does in the store. */
export async function describe(
  spec: DatasetSpec,
  baseDir: string,
): Promise<{ recipe: DatasetRecipe; files: ReadonlyMap<string, string> }> {
  const { recipe, files } = await describeDataset(spec, {
    baseDir,
    digestFile: async (path) => (await digestFile(path)).digest,
  });
  return { recipe: decodeRecipe(encodeRecipe(recipe)), files };
}

/** Describes and opens an entry. */
export async function open(spec: DatasetSpec, baseDir: string): Promise<Dataset> {
  const { recipe, files } = await describe(spec, baseDir);
  return await openDataset(recipe, (digest) => files.get(digest)!);
}

/** All items of a data set in one batch. */
export async function everything(dataset: Dataset): Promise<Batch> {
  return await dataset.batch(0, dataset.length);
}

/** The values of a batch's only input. */
export function values(batch: Batch): (number | bigint)[] {
  return [...batch.inputs[0]!.data as unknown as Iterable<number | bigint>];
}

/**
 * Requires that something fails with one message for its user.
 *
 * @param folder Its path is cut out of the message.
 */
export async function fails(
  action: () => Promise<unknown>,
  expected: { message: string; hint?: string; path?: readonly (string | number)[] },
  folder?: Folder,
): Promise<void> {
  const error = await action().then(() => undefined, (error) => error);
  assert.ok(error instanceof UserError, `expected a UserError, got ${error?.stack ?? error}`);
  const problem = error.problems[0] as FieldProblem;
  const cut = (text: string) =>
    folder === undefined
      ? text
      : text.replaceAll(`${folder.path}/`, "").replaceAll(folder.path, ".");
  assert.equal(cut(problem.message), expected.message);
  if (expected.hint !== undefined) assert.equal(cut(problem.hint ?? ""), expected.hint);
  if (expected.path !== undefined) assert.deepEqual(problem.path, expected.path);
}

/** The bytes of an idx file of bytes. */
export function idxBytes(dims: readonly number[], data: Iterable<number>): Uint8Array<ArrayBuffer> {
  const header = [0, 0, 8, dims.length];
  for (const dim of dims) header.push(dim >>> 24, (dim >> 16) & 255, (dim >> 8) & 255, dim & 255);
  return Uint8Array.from([...header, ...data]);
}

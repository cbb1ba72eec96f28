/**
 * The text of a pipeline file, or what to do when it cannot be had.
 *
 * @module
 */

import { basename, dirname, extname, join } from "../base/path.ts";
import { UserError } from "../base/errors.ts";
import { didYouMean } from "../base/suggest.ts";

/**
 * Reads a pipeline file.
 *
 * @throws {UserError} If there is none, or it is not text.
 */
export async function readPipelineFile(file: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      const hint = await similarFile(file);
      throw new UserError({
        message: `Pipeline file "${file}" does not exist`,
        ...(hint !== undefined && { hint }),
      });
    }
    if (
      error instanceof Deno.errors.IsADirectory || (error as { code?: string }).code === "EISDIR"
    ) {
      throw new UserError({
        message: `"${file}" is a folder, not a pipeline file`,
        hint: "Name a .yaml file in it",
      });
    }
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    throw new UserError({ message: `Pipeline file "${file}" may not be read` });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UserError({
      message: `Pipeline file "${file}" is not text in UTF-8`,
      hint: "Is it the pipeline's YAML file?",
    });
  }
}

async function similarFile(file: string): Promise<string | undefined> {
  const folder = dirname(file);
  const names: string[] = [];
  try {
    for await (const { name, isFile } of Deno.readDir(folder)) {
      if (isFile && [".yaml", ".yml"].includes(extname(name))) names.push(join(folder, name));
    }
  } catch {
    return undefined;
  }
  const near = names.filter((name) => basename(name, extname(name)) === basename(file));
  return near.length === 1 ? `Did you mean "${near[0]}"?` : didYouMean(file, names.toSorted());
}

/**
 * The artifacts that a pipeline begins with.
 *
 * @module
 */

import { importLater } from "../base/import_later.ts";
import { basename, dirname, isAbsolute, join, resolve } from "../base/path.ts";
import { type Problem, UserError } from "../base/errors.ts";
import { similarName } from "../data/similar.ts";
import { type DatasetSpec, inputFormats } from "../data/spec.ts";
import { findFormProblem } from "../onnx/file_form.ts";
import { type ArtifactRecord, modelDigest } from "../registry/kinds.ts";
import { type Digest, digestOf } from "../store/digest.ts";
import { StoreError } from "../store/explain.ts";
import type { BlobInfo } from "../store/store.ts";
import type { PipelineInput } from "./pipeline.ts";
import type { Path } from "./source_text.ts";

/** An input that was found and digested. */
export interface ResolvedInput {
  readonly record: Omit<ArtifactRecord, "path"> & {
    /** Absent for an artifact that is made from a description: then there are `bytes`. */
    readonly path?: string;
  };
  /** In bytes. */
  readonly size: number;
  /** The artifact itself, where it is not a file of the user's. */
  readonly bytes?: Uint8Array;
  /** The files that the artifact refers to, by digest. */
  readonly files: ReadonlyMap<Digest, string>;
}

/** What can be known of the inputs. */
export interface ResolvedInputs {
  readonly inputs: ReadonlyMap<string, ResolvedInput>;
  readonly problems: readonly Problem[];
}

/** Digests a file. */
export type DigestFile = (path: string) => Promise<BlobInfo>;

/**
 * Finds the files of a pipeline's inputs and digests them.
 *
 * @param place Where a field of an input stands, for messages.
 */
export async function resolveInputs(
  inputs: Iterable<PipelineInput>,
  directory: string,
  digestFile: DigestFile,
  place: (path: Path) => Problem["place"],
): Promise<ResolvedInputs> {
  const resolved = new Map<string, ResolvedInput>();
  const problems: Problem[] = [];
  for (const input of inputs) {
    try {
      resolved.set(input.name, await resolveInput(input, directory, digestFile));
    } catch (error) {
      // What is wrong with the store is no mistake in the pipeline file.
      if (!(error instanceof UserError) || error instanceof StoreError) throw error;
      for (const problem of error.problems) {
        // A mistake in no field of its own is in the file that the format names.
        const field = (problem as { path?: Path }).path ?? inputFormats(input.spec).slice(0, 1);
        const at = place(["inputs", input.name, ...field]);
        problems.push({
          message: `Input "${input.name}": ${problem.message}`,
          ...(at !== undefined && { place: at }),
          ...(problem.hint !== undefined && { hint: problem.hint }),
        });
      }
    }
  }
  return { inputs: resolved, problems };
}

async function resolveInput(
  input: PipelineInput,
  directory: string,
  digestFile: DigestFile,
): Promise<ResolvedInput> {
  const origin = `inputs.${input.name}`;
  if (input.kind === "dataset") return await resolveDataset(input, directory, digestFile, origin);
  const { field, text } = fileField(input);
  const { locate } = await importLater<typeof import("../data/locate.ts")>(
    import.meta.resolve("../data/locate.ts"),
  );
  const path = await locate(text, directory, [field]);
  const info = await digestExisting(path, text, directory, [field], digestFile);
  const record = { kind: input.kind, origin, path };
  if (input.kind !== "model" && input.kind !== "quantized-model") {
    return { record: { ...record, digest: info.digest }, size: info.size, files: new Map() };
  }
  const external = await digestExternal(path, text, field, digestFile);
  return {
    record: {
      ...record,
      digest: modelDigest(info.digest, external),
      ...(Object.keys(external).length > 0 && { external }),
    },
    size: info.size,
    files: new Map(),
  };
}

/** The field of an entry that names its file. */
function fileField({ spec }: PipelineInput): { field: string; text: string } {
  const field = ["onnx", "json", "file"].find((name) => typeof spec[name] === "string");
  if (field === undefined) throw new TypeError(`Input names no file: ${JSON.stringify(spec)}`);
  return { field, text: spec[field] as string };
}

async function resolveDataset(
  input: PipelineInput,
  directory: string,
  digestFile: DigestFile,
  origin: string,
): Promise<ResolvedInput> {
  const { describeDataset, encodeRecipe } = await importLater<typeof import("../data/recipe.ts")>(
    import.meta.resolve("../data/recipe.ts"),
  );
  const { recipe, files } = await describeDataset(input.spec as unknown as DatasetSpec, {
    baseDir: directory,
    digestFile: async (path) => (await digestFile(path)).digest,
  });
  const bytes = encodeRecipe(recipe);
  return {
    record: { kind: "dataset", digest: digestOf(bytes), origin },
    size: bytes.length,
    bytes,
    files,
  };
}

/** The key of the entry that names a file with a tensor. */
const LOCATION = new TextEncoder().encode("location");

function includesBytes(bytes: Uint8Array, part: Uint8Array): boolean {
  const last = part.length - 1;
  // Searching for one byte is native; hardly anywhere is the next one right too.
  for (let at = bytes.indexOf(part[0]!); at >= 0; at = bytes.indexOf(part[0]!, at + 1)) {
    let index = 1;
    while (index <= last && bytes[at + index] === part[index]) index++;
    if (index > last) return true;
  }
  return false;
}

/** The digests of the files beside a model; also makes sure that it looks like a model. */
async function digestExternal(
  path: string,
  text: string,
  field: string,
  digestFile: DigestFile,
): Promise<Record<string, Digest>> {
  const bytes = await Deno.readFile(path);
  const problem = findFormProblem(bytes, `"${text}"`);
  if (problem !== undefined) throw fieldProblem([field], problem.message, problem.hint);
  // A model that nowhere spells the key of such an entry has none, and need not be parsed.
  if (!includesBytes(bytes, LOCATION)) return {};
  const { externalFiles } = await importLater<typeof import("../onnx/read.ts")>(
    import.meta.resolve("../onnx/read.ts"),
  );
  const digests: Record<string, Digest> = {};
  for (const location of externalFiles(bytes)) {
    const file = join(dirname(path), location);
    digests[location] =
      (await digestExisting(file, location, dirname(path), [field], digestFile)).digest;
  }
  return digests;
}

async function digestExisting(
  path: string,
  text: string,
  directory: string,
  field: Path,
  digestFile: DigestFile,
): Promise<BlobInfo> {
  try {
    return await digestFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      const looked = isAbsolute(text) ? undefined : `Looked for "${resolve(directory, text)}"`;
      const hint = similarFile(path, text) ?? looked;
      throw fieldProblem(field, `File "${text}" does not exist`, hint);
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      throw fieldProblem(field, `File "${text}" may not be read`, "Change its permissions");
    }
    throw error;
  }
}

/** A file beside the one that is missing whose name is almost the same. */
function similarFile(path: string, text: string): string | undefined {
  const close = similarName(path, "file");
  if (close === undefined) return undefined;
  return `Did you mean "${text.slice(0, text.length - basename(path).length)}${close}"?`;
}

function fieldProblem(path: Path, message: string, hint?: string): UserError {
  const problem: Problem & { path: Path } = { path, message, ...(hint !== undefined && { hint }) };
  return new UserError(problem);
}

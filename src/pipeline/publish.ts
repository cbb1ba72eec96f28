/**
 * Copies outputs from the store to where users want them.
 *
 * @module
 */

import { basename, dirname, join, resolve } from "../base/path.ts";
import { type Problem, UserError } from "../base/errors.ts";
import type { Store, StoredOutput } from "../store/store.ts";
import type { Published } from "./events.ts";
import type { ResolvedInput } from "./inputs.ts";
import type { Pipeline, PipelineStage } from "./pipeline.ts";

/** A copy to be made. */
interface Copy {
  readonly output: string;
  /** Absolute. */
  readonly path: string;
}

/** The copies that a stage asks for. */
function copiesOf({ stage, parameters }: PipelineStage, pipeline: Pipeline): Copy[] {
  if (pipeline.isRehearsal) return [];
  const publications = stage.definition.publish?.(parameters, { name: pipeline.name }) ?? [];
  return publications.map(({ output, to }) => ({
    output,
    path: resolve(pipeline.directory, to),
  }));
}

/** Whether a stage copies something to where a user wants it. */
export function isPublishing(stage: PipelineStage, pipeline: Pipeline): boolean {
  return copiesOf(stage, pipeline).length > 0;
}

/** Where the provenance of what a stage publishes goes: beside its first file. */
export function provenancePath(stage: PipelineStage, pipeline: Pipeline): string | undefined {
  const [first] = copiesOf(stage, pipeline);
  return first?.path.replace(/(?<=[^/\\])\.[^./\\]*$/, "").concat(".provenance.json");
}

/** Files that two stages would write, or that are inputs. */
export function publishingProblems(
  pipeline: Pipeline,
  inputs: ReadonlyMap<string, ResolvedInput>,
): Problem[] {
  const owners = new Map<string, string>();
  for (const { record, files } of inputs.values()) {
    for (const path of [record.path, ...files.values()]) {
      if (path !== undefined) owners.set(resolve(path), `is what ${record.origin} reads`);
    }
  }
  const problems: Problem[] = [];
  for (const stage of pipeline.stages) {
    const paths = copiesOf(stage, pipeline).map(({ path }) => path);
    const provenance = provenancePath(stage, pipeline);
    if (provenance !== undefined) paths.push(provenance);
    const taken = paths.find((path) => owners.has(path));
    if (taken !== undefined) {
      problems.push({
        message: `Stage "${stage.id}" would write "${taken}", which ${owners.get(taken)}`,
        place: stage.place,
        hint: "Let it write to another folder",
      });
    }
    for (const path of paths) owners.set(path, `stage "${stage.id}" writes`);
  }
  return problems;
}

/**
 * Makes the copies that a stage asks for. Each file is there whole, or as it was before.
 *
 * @throws {UserError} If a file cannot be written.
 */
export async function publish(
  stage: PipelineStage,
  pipeline: Pipeline,
  outputs: Readonly<Record<string, StoredOutput>>,
  store: Store,
): Promise<Published[]> {
  const published: Published[] = [];
  for (const { output, path } of copiesOf(stage, pipeline)) {
    const stored = outputs[output];
    if (stored === undefined) {
      const { name } = stage.stage.definition;
      throw new TypeError(`Stage "${name}" publishes "${output}", which is none of its outputs`);
    }
    const changed = !(await isThere(path, stored, store));
    if (changed) await copy(store.blobPath(stored.digest), path, stage.stage.plugin !== undefined);
    published.push({ output, path, changed });
  }
  return published;
}

/** Whether a copy is what it should be; one that did not change since it was last looked at is not read again. */
async function isThere(
  path: string,
  { digest, size }: StoredOutput,
  store: Store,
): Promise<boolean> {
  try {
    const found = await Deno.stat(path);
    return found.isFile && found.size === size && (await store.fileDigest(path)).digest === digest;
  } catch {
    return false;
  }
}

async function copy(from: string, to: string, isForeign: boolean): Promise<void> {
  const temporary = join(dirname(to), `.${basename(to)}.${crypto.randomUUID().slice(0, 8)}`);
  try {
    await Deno.mkdir(dirname(to), { recursive: true });
    {
      using source = await Deno.open(from);
      using target = await Deno.open(temporary, { write: true, createNew: true });
      await source.readable.pipeTo(target.writable, { preventClose: true });
      await target.sync();
    }
    await Deno.rename(temporary, to);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    const isForbidden = isForeign && error instanceof Deno.errors.NotCapable;
    throw new UserError({
      message: `Cannot write "${to}": ${error instanceof Error ? error.message : error}`,
      hint: isForbidden
        ? `Stages of plugins only write to "exports" and to where "export" writes; --trust-plugins lets them write anywhere`
        : "Choose another folder, or mend its permissions; the result itself is in the store",
    }, { cause: error });
  }
}

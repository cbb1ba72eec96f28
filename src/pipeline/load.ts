/**
 * From a file, or a value in a program, to a {@linkcode Pipeline}.
 *
 * @module
 */

import { dirname, resolve } from "../base/path.ts";
import type { JsonValue } from "../base/canonical_json.ts";
import { type Problem, UserError } from "../base/errors.ts";
import type { AnyStage } from "../registry/stage.ts";
import { Registry } from "../registry/registry.ts";
import { builtInStages } from "../stages/mod.ts";
import type { Memos } from "../store/memos.ts";
import { checkDocument } from "./check.ts";
import { PipelineDocument } from "./document.ts";
import { exportFolders } from "./export_folders.ts";
import { admitForeignCode } from "./foreign_code.ts";
import { resolveInputs } from "./inputs.ts";
import { isObject } from "./paths.ts";
import type { Pipeline, PipelineInput } from "./pipeline.ts";
import { loadPlugin } from "./plugins.ts";
import { readPipelineFile } from "./read_file.ts";
import { resolveReferences } from "./references.ts";
import { applySetting } from "./set.ts";
import type { PipelineSpec } from "./spec.ts";

/** How a pipeline is loaded. */
export interface LoadOptions {
  /** Changes to the file, `"path=value"` each, such as `"w4.with.weights.bits=3"`. */
  readonly set?: readonly string[];
  /** The stages that pipelines can use without plugins; those that come with Bitbound unless told. */
  readonly stages?: readonly AnyStage[];
  /** Where it is remembered what was read of a text that did not change. */
  readonly memos?: Memos;
}

/** How a pipeline that is not in a file is loaded. */
export interface DefineOptions extends LoadOptions {
  /** What relative paths count from; the current folder unless told. */
  readonly directory?: string;
}

/**
 * Reads a pipeline file and checks all of it; no stage's work and no data are loaded.
 *
 * @throws {UserError} With every problem of the file.
 */
export async function loadPipeline(file: string, options: LoadOptions = {}): Promise<Pipeline> {
  const text = await readPipelineFile(file);
  const { document, problems } = await PipelineDocument.parse(file, text, options.memos);
  if (document.value === null && problems.length === 0) {
    throw new UserError({
      message: `Pipeline file "${file}" is empty`,
      hint: "It needs at least a name: and stages:",
    });
  }
  const pipeline = await build(document, dirname(resolve(file)), problems, options);
  return { ...pipeline, source: text };
}

/**
 * Checks a pipeline that is a value, as {@linkcode loadPipeline} checks a file.
 *
 * @throws {UserError} With every problem.
 */
export async function definePipelineValue(
  value: JsonValue,
  options: DefineOptions = {},
): Promise<Pipeline> {
  const document = PipelineDocument.from("(pipeline)", value);
  return await build(document, resolve(options.directory ?? "."), [], options);
}

async function build(
  document: PipelineDocument,
  directory: string,
  found: readonly Problem[],
  options: LoadOptions,
): Promise<Pipeline> {
  const problems = [...found];
  if (!isObject(document.value)) {
    throw new UserError({
      message: "A pipeline is a map with at least the keys name and stages",
      place: document.place([]),
    });
  }
  for (const setting of options.set ?? []) {
    problems.push(...await applySetting(document, setting, options.memos));
  }
  document.dropEmptyKeys();
  problems.push(...resolveReferences(document));
  const registry = new Registry(options.stages ?? builtInStages);
  const pluginProblems = await loadPlugins(document, registry, directory);
  problems.push(...pluginProblems);
  const checked = checkDocument(document, registry, { complete: pluginProblems.length === 0 });
  const { inputs, stages, warnings } = checked;
  const earlier = [...problems];
  problems.push(...checked.problems.filter((problem) => !isConsequence(problem, earlier)));
  if (problems.length > 0) {
    problems.push(...await missingFiles(checked.soundInputs, directory, document));
    throw new UserError(inOrder(problems));
  }
  const { name, description, seed, store } = document.value as unknown as PipelineSpec;
  return {
    name,
    seed: seed ?? 0,
    file: document.file,
    directory,
    settings: options.set ?? [],
    inputs: new Map(inputs.map((input) => [input.name, input])),
    stages,
    registry,
    warnings,
    placeOf: (path) => document.place(path),
    ...(description !== undefined && { description }),
    ...(store !== undefined && { store }),
  };
}

async function loadPlugins(
  document: PipelineDocument,
  registry: Registry,
  directory: string,
): Promise<Problem[]> {
  const plugins = document.get(["plugins"]);
  if (!Array.isArray(plugins) || plugins.length === 0) return [];
  const { store } = document.value as unknown as PipelineSpec;
  admitForeignCode(() => ({
    exports: exportFolders(document.value, registry, directory),
    directory,
    ...(store !== undefined && { store }),
  }));
  const problems: Problem[] = [];
  for (const [index, path] of plugins.entries()) {
    if (typeof path !== "string" || path === "") continue;
    const place = document.place(["plugins", index]);
    problems.push(...await loadPlugin(registry, path, directory, place));
  }
  return problems;
}

/** When something is wrong anyway, files that are missing are told in the same breath; nothing is digested. */
async function missingFiles(
  inputs: readonly PipelineInput[],
  directory: string,
  document: PipelineDocument,
): Promise<readonly Problem[]> {
  const exists = async (path: string) => {
    const { isFile, size } = await Deno.stat(path);
    if (!isFile) throw new UserError({ message: `"${path}" is not a file` });
    return { digest: "0".repeat(64), size };
  };
  const { problems } = await resolveInputs(
    inputs,
    directory,
    exists,
    (path) => document.place(path),
  );
  return problems;
}

/** Whether something wrong was found earlier in the very same place. */
function isConsequence({ place }: Problem, earlier: readonly Problem[]): boolean {
  return place?.line !== undefined &&
    earlier.some(({ place: other }) =>
      other?.line === place.line && other?.column === place.column && other?.text === place.text
    );
}

/** By line; what has no place in the file first. */
function inOrder(problems: readonly Problem[]): Problem[] {
  const rank = ({ place }: Problem) => place?.file === "--set" ? 0 : place?.line ?? 0;
  return problems.toSorted((a, b) =>
    rank(a) - rank(b) || (a.place?.column ?? 0) - (b.place?.column ?? 0)
  );
}

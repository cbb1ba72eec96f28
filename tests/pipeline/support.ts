/**
 * Helpers to write pipelines and to see what is said of them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Problem, UserError } from "../../src/base/errors.ts";
import type { RunEvent } from "../../src/pipeline/events.ts";
import { type ExecuteOptions, executePlan, type RunOutcome } from "../../src/pipeline/execute.ts";
import { loadPipeline } from "../../src/pipeline/load.ts";
import type { Pipeline } from "../../src/pipeline/pipeline.ts";
import { type PlanOptions, planPipeline } from "../../src/pipeline/plan.ts";
import { openStore } from "../../src/store/store.ts";

/** The plugin with the test stages. */
export const TEST_STAGES = fileURLToPath(new URL("./test_stages.ts", import.meta.url));

/** A folder that is removed in the end. */
export class Folder implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "bitbound-pipeline-" });

  /** Writes a file and returns its path. */
  write(name: string, content: string | Uint8Array): string {
    const path = join(this.path, name);
    Deno.mkdirSync(join(path, ".."), { recursive: true });
    if (typeof content === "string") Deno.writeTextFileSync(path, content);
    else Deno.writeFileSync(path, content);
    return path;
  }

  /** Writes a pipeline that can use the test stages. */
  pipeline(text: string, name = "pipeline.yaml"): string {
    return this.write(
      name,
      `${text.replace(/^\n/, "").trimEnd()}\nplugins: [${JSON.stringify(TEST_STAGES)}]\n`,
    );
  }

  join(...parts: string[]): string {
    return join(this.path, ...parts);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** `3:5+4 message → hint`: where the caret is, how long, and what is said. */
export function problemText({ message, hint, place }: Problem): string {
  const where = place === undefined
    ? "-"
    : `${place.file === "--set" ? "set " : ""}${place.line}:${place.column}+${place.length}`;
  return `${where} ${message}${hint === undefined ? "" : ` → ${hint}`}`;
}

/** What is said when a pipeline with the test stages is loaded. */
export async function problemsOf(text: string, set: string[] = []): Promise<string[]> {
  using folder = new Folder();
  return await thrownBy(() => loadPipeline(folder.pipeline(text), { set }), folder);
}

/** A pipeline and all that has to be said of it. */
export interface Mistakes {
  readonly name: string;
  readonly pipeline: string;
  readonly set?: string[];
  /** As {@linkcode problemText} writes them. */
  readonly problems: readonly string[];
}

/** Registers a test for each pipeline. */
export function testMistakes(cases: readonly Mistakes[]): void {
  for (const { name, pipeline, set, problems } of cases) {
    Deno.test(`mistake: ${name}`, async () => {
      assert.deepEqual(await problemsOf(pipeline, set), problems);
    });
  }
}

/** What a UserError says. */
export async function thrownBy(
  action: () => Promise<unknown>,
  folder?: Folder,
): Promise<string[]> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.problems.map((problem) => {
      const text = problemText(problem);
      return folder === undefined ? text : text.replaceAll(folder.path, "FOLDER");
    });
  }
  return [];
}

/** Loads a pipeline with the test stages. */
export async function load(text: string, set: string[] = []): Promise<Pipeline> {
  using folder = new Folder();
  return await loadPipeline(folder.pipeline(text), { set });
}

/** A run, with what it told. */
export interface TestRun extends RunOutcome {
  readonly events: readonly RunEvent[];
  /** By stage id. */
  readonly status: RunOutcome["status"];
  statuses(): Record<string, string>;
}

/** Loads, plans and executes a pipeline file with a store in its folder. */
export async function run(
  file: string,
  options: ExecuteOptions & PlanOptions & { set?: string[]; store?: string } = {},
): Promise<TestRun> {
  const pipeline = await loadPipeline(file, { set: options.set ?? [] });
  await using store = openStore(options.store ?? join(pipeline.directory, "store"));
  const plan = await planPipeline(pipeline, store, options);
  const events: RunEvent[] = [];
  const outcome = await executePlan(plan, {
    executor: "inline",
    ...options,
    onEvent(event) {
      events.push(event);
      options.onEvent?.(event);
    },
  });
  return {
    ...outcome,
    events,
    statuses: () => Object.fromEntries(outcome.stages.map(({ stage, status }) => [stage, status])),
  };
}

/** The value of a `json` output. */
export function valueOf(outcome: RunOutcome, stage: string, output: string): unknown {
  const found = outcome.stages.find((each) => each.stage === stage)!;
  return JSON.parse(Deno.readTextFileSync(found.outputs[output]!.path));
}

/**
 * Measuring one row with one seed, through the program itself.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import type { Row } from "./rows.ts";

/** What is known of a run; what a network has no data for is missing. */
export interface Measurement {
  readonly nearestKl?: number;
  readonly kl?: number;
  readonly agreement?: number;
  readonly floatTop1?: number;
  readonly top1?: number;
  readonly furtherTop1?: number;
  readonly seconds?: number;
}

interface StageOutcome {
  readonly id: string;
  readonly metrics?: Record<string, number>;
  readonly error?: unknown;
}

/**
 * Runs the pipeline of a row.
 *
 * @param extra Parameters of `reconstruct` over those of the row.
 * @param memory Such as `2Gi`.
 * @param folder Where the pipeline's file is put.
 * @param store What has run before is taken from there.
 * @throws {Error} If a stage fails.
 */
export async function measure(
  row: Row,
  seed: number,
  extra: Record<string, unknown>,
  memory: string,
  folder: string,
  store: string,
): Promise<Measurement> {
  const file = `${folder}/pipeline.yaml`;
  // JSON is YAML.
  Deno.writeTextFileSync(file, JSON.stringify(row.pipeline(seed, extra), null, 2));
  const timed = row.timed ?? "reconstruct";
  // By itself first: other stages would take processors from what is timed.
  const alone = await run(row, file, ["--only", timed], memory, store);
  const stages = [...alone, ...await run(row, file, [], memory, store)];
  const metric = (key: keyof Measurement, id: string, name: string) => {
    const value = stages.find((stage) => stage.id === id)?.metrics?.[name];
    return value === undefined ? {} : { [key]: value };
  };
  return {
    ...metric("top1", "result", "top1"),
    ...metric("nearestKl", "nearest", "kl"),
    ...metric("kl", "result", "kl"),
    ...metric("agreement", "result", "agreement"),
    ...metric("floatTop1", "float-top1", "top1"),
    ...metric("top1", "result-top1", "top1"),
    ...metric("furtherTop1", "result-further", "top1"),
    ...metric("seconds", timed, "seconds"),
  };
}

/** Runs a pipeline, or parts of it. */
async function run(
  row: Row,
  file: string,
  parts: readonly string[],
  memory: string,
  store: string,
): Promise<StageOutcome[]> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-read",
      "--allow-write",
      "--allow-ffi",
      "--allow-env",
      "src/cli/main.ts",
      "run",
      file,
      ...parts,
      "--json",
      "--memory",
      memory,
    ],
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    env: { BITBOUND_STORE: store },
  }).output();
  const text = new TextDecoder().decode(stdout);
  const stages = stagesOf(text);
  const failed = stages?.filter(({ error }) => error !== undefined);
  if (stages === undefined || failed!.length > 0) {
    const what = failed === undefined ? text : JSON.stringify(failed, null, 2);
    throw new Error(`${row.description} failed: ${what}\n${new TextDecoder().decode(stderr)}`);
  }
  return stages;
}

function stagesOf(text: string): StageOutcome[] | undefined {
  try {
    return (JSON.parse(text) as { stages?: StageOutcome[] }).stages;
  } catch {
    return undefined;
  }
}

/**
 * `bitbound plan FILE`
 *
 * @module
 */

import { ExitCode } from "../exit_code.ts";
import { Interrupted, interruptible } from "../interrupt.ts";
import { planDocument } from "../output/json_documents.ts";
import { planLines } from "../output/plan_text.ts";
import { problemLines } from "../output/problems.ts";
import type { Streams } from "../output/streams.ts";
import { openStoreOf, type PipelineStoreOptions } from "../pipeline_store.ts";

/** Its options. */
export interface PlanOptions extends PipelineStoreOptions {
  readonly file: string;
  readonly set: readonly string[];
  readonly json: boolean;
}

/** Says what a run would do. */
export async function plan(options: PlanOptions, streams: Streams): Promise<ExitCode> {
  const { out, err } = streams;
  const { loadFile } = await import("../load_file.ts");
  const { planPipeline } = await import("../../pipeline/plan.ts");
  const pipeline = await loadFile(options.file, options);
  err.lines(...problemLines(pipeline.warnings, err.style, err.columns(), "warning"));
  // A plan writes nothing anywhere.
  await using opened = await openStoreOf(pipeline, { ...options, remoteMode: "read" }, streams);
  try {
    const made = await interruptible(() => planPipeline(pipeline, opened.store, { peek: true }));
    if (options.json) out.lines(JSON.stringify(planDocument(made), null, 2));
    else out.lines(...planLines(made, out.style));
    return ExitCode.done;
  } catch (error) {
    if (error instanceof Interrupted) return ExitCode.interrupted;
    throw error;
  }
}

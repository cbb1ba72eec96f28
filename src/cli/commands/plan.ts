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
import { storeFolder } from "../store_folder.ts";

/** Its options. */
export interface PlanOptions {
  readonly file: string;
  readonly set: readonly string[];
  readonly store: string | undefined;
  readonly json: boolean;
}

/** Says what a run would do. */
export async function plan(options: PlanOptions, { out, err }: Streams): Promise<ExitCode> {
  const { loadPipeline } = await import("../../pipeline/load.ts");
  const { planPipeline } = await import("../../pipeline/plan.ts");
  const { openStore } = await import("../../store/store.ts");
  const pipeline = await loadPipeline(options.file, { set: options.set });
  err.lines(...problemLines(pipeline.warnings, err.style, err.columns(), "warning"));
  await using store = openStore(storeFolder(options.store), {
    onWarning: (message) => err.lines(`${err.style.yellow("warning")}: ${message}`),
  });
  try {
    const made = await interruptible(() => planPipeline(pipeline, store));
    if (options.json) out.lines(JSON.stringify(planDocument(made), null, 2));
    else out.lines(...planLines(made, out.style));
    return ExitCode.done;
  } catch (error) {
    if (error instanceof Interrupted) return ExitCode.interrupted;
    throw error;
  }
}

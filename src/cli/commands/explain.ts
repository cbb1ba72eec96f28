/**
 * `bitbound explain FILE|RUN [STAGE…]`
 *
 * @module
 */

import { padText, printable, type Style, textWidth } from "../../base/terminal_text.ts";
import { formatAge, formatSeconds } from "../../base/units.ts";
import { showIngredient } from "../../pipeline/changes.ts";
import type { Explanation } from "../../pipeline/explain.ts";
import { someOf } from "../../pipeline/names.ts";
import { ExitCode } from "../exit_code.ts";
import { problemLines } from "../output/problems.ts";
import type { Streams } from "../output/streams.ts";
import { runOf } from "../run_of.ts";
import { openLocalStoreOf } from "../pipeline_store.ts";
import { openNamedStore } from "../store_folder.ts";

/** Its options. */
export interface ExplainOptions {
  readonly subject: string;
  readonly stages: readonly string[];
  readonly against: string | undefined;
  readonly set: readonly string[];
  readonly store: string | undefined;
  readonly json: boolean;
}

/** A pipeline is in a file of this name; everything else is a run. */
const PIPELINE = /\.ya?ml$|[/\\]/i;

async function explainFile(options: ExplainOptions, streams: Streams): Promise<Explanation[]> {
  const { loadFile } = await import("../load_file.ts");
  const { planPipeline } = await import("../../pipeline/plan.ts");
  const { explainPlan } = await import("../../pipeline/explain.ts");
  const { err } = streams;
  const pipeline = await loadFile(options.subject, options);
  err.lines(...problemLines(pipeline.warnings, err.style, err.columns(), "warning"));
  await using opened = await openLocalStoreOf(pipeline, options.store, streams);
  const { store } = opened;
  const against = options.against === undefined ? undefined : await runOf(options.against, store);
  return await explainPlan(await planPipeline(pipeline, store), options.stages, against);
}

async function explainRecord(options: ExplainOptions, streams: Streams): Promise<Explanation[]> {
  const { explainRun } = await import("../../pipeline/explain.ts");
  await using store = openNamedStore(options.store, streams);
  const against = options.against === undefined ? undefined : await runOf(options.against, store);
  return await explainRun(await runOf(options.subject, store), options.stages, store, against);
}

/** Says which ingredient of each stage's key changed. */
export async function explain(options: ExplainOptions, streams: Streams): Promise<ExitCode> {
  const { out } = streams;
  const explanations = PIPELINE.test(options.subject)
    ? await explainFile(options, streams)
    : await explainRecord(options, streams);
  if (options.json) {
    out.lines(JSON.stringify({ version: 1, stages: explanations }, null, 2));
  } else out.lines(...explanationLines(explanations, out.style));
  return ExitCode.done;
}

/** Each stage with what changed, old → new. */
export function explanationLines(explanations: readonly Explanation[], style: Style): string[] {
  return explanations.flatMap((each, index) => [
    ...(index === 0 ? [] : [""]),
    headline(each, style),
    ...detailLines(each, style).map((line) => `  ${line}`),
  ]);
}

const VERBS: Readonly<Record<Explanation["status"], string>> = {
  hit: "is cached",
  run: "has to run",
  blocked: "is not known yet",
  ran: "ran",
  failed: "failed",
  skipped: "was not started",
  pending: "was not reached",
  running: "is running",
};

function headline({ id, uses, status, expected }: Explanation, style: Style): string {
  const name = style.bold(printable(id)) + (uses === id ? "" : ` (${uses})`);
  const time = status !== "hit" && expected !== undefined ? `, ${formatSeconds(expected)}` : "";
  const verb = status === "hit" ? style.green(VERBS[status]) : VERBS[status];
  return `${name} ${verb}${style.dim(time)}`;
}

function detailLines(explanation: Explanation, style: Style): string[] {
  const { status, reason, changes, waits, since, made } = explanation;
  const lines = made === undefined
    ? []
    : [style.dim(`made by run ${made.run}, ${formatAge(made.finished)}`)];
  if (status === "hit" && changes.length === 0) return lines;
  if (changes.length > 0) {
    const names = changes.map(({ ingredient, name, source }) =>
      ingredient === "input"
        ? `input ${name}${source === undefined ? "" : ` (${source})`}`
        : ingredient === "engine"
        ? `engine's ${name}`
        : ingredient === "code"
        ? "the plugin's code"
        : name
    );
    const width = Math.max(...names.map(textWidth));
    for (const [index, change] of changes.entries()) {
      const before = showIngredient(change, change.before);
      const after = showIngredient(change, change.after);
      lines.push(
        `${style.yellow(printable(padText(names[index]!, width)))}  ` +
          `${printable(before)} → ${style.bold(printable(after))}`,
      );
    }
  } else if (waits.length === 0) lines.push(printable(reason));
  if (waits.length > 0) {
    lines.push(`${changes.length > 0 ? "and " : ""}waits for what ${someOf(waits)} will make`);
  }
  if (since !== undefined && changes.length > 0) lines.push(style.dim(`since run ${since.run}`));
  return lines;
}

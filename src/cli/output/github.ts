/**
 * What GitHub Actions shows of a run: a summary on the job's page and annotations at the lines of the file.
 *
 * @module
 */

import type { Problem } from "../../base/errors.ts";
import type { RunOutcome } from "../../pipeline/execute.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import { summarizeRun } from "../../report/summary.ts";
import { markdownOf } from "../../report/text/markdown.ts";
import { annotate } from "./annotations.ts";
import type { Streams } from "./streams.ts";

/** GitHub drops a summary that is larger. */
const SUMMARY_BYTES = 1024 * 1024;

/** Tells GitHub Actions how a run came out, if it is what runs this. */
export function reportToGithub(pipeline: Pipeline, outcome: RunOutcome, streams: Streams): void {
  const file = Deno.env.get("GITHUB_STEP_SUMMARY");
  if (file) {
    const text = markdownOf(summarizeRun(outcome.record), SUMMARY_BYTES);
    Deno.writeTextFileSync(file, text, { append: true });
  }
  annotate(runProblems(pipeline, outcome), streams);
}

/** The problems of a run that have a place in the pipeline file: failures, and expectations not met. */
export function runProblems(pipeline: Pipeline, outcome: RunOutcome): Problem[] {
  const stages = new Map(pipeline.stages.map((stage) => [stage.id, stage]));
  return outcome.stages.flatMap(({ stage: id, error, expects }) => {
    const stage = stages.get(id)!;
    const unmet = expects.filter(({ met }) => !met).map(({ message, metric, condition }) => {
      const gate = stage.gates.find((each) =>
        each.metric === metric && each.condition === condition
      );
      return { message: `${id}: ${message}`, place: gate?.place ?? stage.place };
    });
    const failures = (error?.problems ?? []).map(({ message }) => ({
      message: `${id}: ${message}`,
      place: stage.place,
    }));
    return [...failures, ...unmet];
  });
}

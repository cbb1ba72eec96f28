/**
 * What `--json` prints: one JSON document per command, in a form that scripts can rely on.
 *
 * @module
 */

import type { Problem } from "../../base/errors.ts";
import type { RunOutcome } from "../../pipeline/execute.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import type { Plan } from "../../pipeline/plan.ts";

/** Raised when a field changes its meaning. */
const VERSION = 1;

/** The document of `run --json`. */
export function runDocument(pipeline: Pipeline, outcome: RunOutcome): unknown {
  return {
    version: VERSION,
    run: outcome.run,
    pipeline: pipeline.name,
    file: pipeline.file,
    seed: pipeline.seed,
    status: outcome.status,
    exitCode: outcome.exitCode,
    seconds: outcome.seconds,
    stages: outcome.stages.map(({ stage, ...rest }) => ({ id: stage, ...rest })),
    expects: outcome.stages.flatMap(({ stage, expects }) =>
      expects.map((expect) => ({ stage, ...expect }))
    ),
  };
}

/** The document of `plan --json` and `run --dry-run --json`. */
export function planDocument(plan: Plan): unknown {
  const { name, file, seed } = plan.pipeline;
  return {
    version: VERSION,
    pipeline: name,
    file,
    seed,
    inputs: Object.fromEntries(
      [...plan.inputs].map(([input, { record: { kind, digest } }]) => [input, { kind, digest }]),
    ),
    stages: plan.stages.map(({ stage, status, reason, key, expected }) => ({
      id: stage.id,
      uses: stage.stage.definition.name,
      status,
      reason,
      ...(key === undefined ? {} : { key }),
      ...(expected === undefined ? {} : { expected }),
    })),
  };
}

/** The document of any command that stopped because of the user's mistakes. */
export function problemsDocument(problems: readonly Problem[]): unknown {
  return { version: VERSION, status: "invalid", problems };
}

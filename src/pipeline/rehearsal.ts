/**
 * A rehearsal: the whole pipeline on a few items, so that what will fail does so in seconds instead of after hours.
 *
 * @module
 */

import type { JsonValue } from "../base/canonical_json.ts";
import type { Store } from "../store/store.ts";
import type { RunOutcome } from "./execute.ts";
import { resolveInputs } from "./inputs.ts";
import type { Pipeline, PipelineInput, PipelineStage } from "./pipeline.ts";

/** Items of each data set. */
export const SLIVER = 64;

/**
 * The pipeline that rehearses another one: each data set has only its first items, stages do as little as they can,
 * expectations are not judged, and nothing is published.
 */
export async function rehearsalOf(pipeline: Pipeline, store: Store): Promise<Pipeline> {
  const inputs = new Map<string, PipelineInput>();
  for (const [name, input] of pipeline.inputs) {
    inputs.set(name, await sliverOf(input, pipeline, store));
  }
  return {
    ...pipeline,
    name: `${pipeline.name} (rehearsal)`,
    inputs,
    stages: pipeline.stages.map(rehearsing),
    isRehearsal: true,
  };
}

/** A data set with only its first items, unless it has fewer. */
async function sliverOf(
  input: PipelineInput,
  { directory, placeOf }: Pipeline,
  store: Store,
): Promise<PipelineInput> {
  if (input.kind !== "dataset") return input;
  const { take } = input.spec;
  if (typeof take === "number" && take <= SLIVER) return input;
  const sliver = { ...input, spec: { ...input.spec, take: SLIVER } };
  const { problems } = await resolveInputs(
    [sliver],
    directory,
    (path) => store.fileDigest(path),
    placeOf,
  );
  // What is wrong with the whole data set is told of it.
  return problems.length === 0 ? sliver : input;
}

function rehearsing(stage: PipelineStage): PipelineStage {
  const { definition } = stage.stage;
  const changes = definition.rehearse?.(stage.parameters) ?? {};
  const parameters = { ...stage.parameters, ...changes } as { [name: string]: JsonValue };
  return { ...stage, parameters, gates: [] };
}

/** What a rehearsal that came to its end says of the expectations: metrics that no stage measured cannot be judged. */
export function unmeasured(pipeline: Pipeline, { stages }: RunOutcome): string[] {
  const measured = new Map(stages.map(({ stage, metrics }) => [stage, metrics]));
  return pipeline.stages.flatMap(({ id, gates }) =>
    gates.filter(({ metric }) => measured.get(id)?.[metric] === undefined)
      .map(({ metric }) => `${id} did not measure ${metric}, which is expected of it`)
  );
}

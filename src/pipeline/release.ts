/**
 * Which expectations decide whether a stage publishes what it made.
 *
 * @module
 */

import { dependencies, type Pipeline, type PipelineStage, sourceName } from "./pipeline.ts";

/**
 * The stages whose expectations are about what a stage hands out: those that have some, and take the same artifact on
 * the port that the stage {@linkcode StageDefinition.releases releases}, wherever in the file they are.
 *
 * @returns Their ids.
 */
export function judgesOf(stage: PipelineStage, { stages, isRehearsal }: Pipeline): string[] {
  const port = stage.stage.definition.releases;
  const released = port === undefined ? undefined : stage.inputs.get(port);
  if (released === undefined || isRehearsal) return [];
  const name = sourceName(released);
  return stages.filter(({ id, gates, inputs }) => {
    const judged = inputs.get(port!);
    return id !== stage.id && gates.length > 0 && judged !== undefined &&
      sourceName(judged) === name;
  }).map(({ id }) => id);
}

/**
 * The stages that keep a stage from publishing: itself, those that it depends on, and its judges.
 *
 * @param met Stages that have a result, and whose own expectations are met.
 * @returns Their ids, those first that are nearest.
 */
export function hindrances(
  stage: PipelineStage,
  judges: readonly string[],
  { stages }: Pipeline,
  met: ReadonlySet<string>,
): string[] {
  const byId = new Map(stages.map((each) => [each.id, each]));
  const before = new Set([stage.id]);
  for (const id of before) for (const each of dependencies(byId.get(id)!)) before.add(each);
  return [...new Set([...before, ...judges])].filter((id) => !met.has(id));
}

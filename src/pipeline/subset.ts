/**
 * A part of a pipeline: some stages and what they need.
 *
 * @module
 */

import { UserError } from "../base/errors.ts";
import { chooseStages } from "./choose.ts";
import { dependencies, type Pipeline } from "./pipeline.ts";

/**
 * The pipeline with only some stages, those that they take something from, and the inputs of all these.
 *
 * @param texts Ids, or addresses of items.
 * @throws {UserError} If there is no stage of a name.
 */
export function onlyStages(pipeline: Pipeline, texts: readonly string[]): Pipeline {
  const byId = new Map(pipeline.stages.map((stage) => [stage.id, stage]));
  const chosen = chooseStages(
    pipeline.stages,
    texts,
    (text) => `There is no stage "${text}" to run`,
  );
  if (chosen.problems.length > 0) throw new UserError(chosen.problems);
  const wanted = new Set<string>();
  const open = [...chosen.ids];
  while (open.length > 0) {
    const id = open.pop()!;
    if (wanted.has(id)) continue;
    wanted.add(id);
    open.push(...dependencies(byId.get(id)!));
  }
  const stages = pipeline.stages.filter(({ id }) => wanted.has(id));
  const used = new Set(
    stages.flatMap(({ inputs }) => [...inputs.values()])
      .flatMap((source) => source.from === "inputs" ? [source.name] : []),
  );
  return {
    ...pipeline,
    stages,
    inputs: new Map([...pipeline.inputs].filter(([name]) => used.has(name))),
  };
}

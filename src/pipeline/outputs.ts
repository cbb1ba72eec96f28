/**
 * Which outputs a stage makes, and whether a result that was kept has them.
 *
 * @module
 */

import type { JsonValue } from "../base/canonical_json.ts";
import type { AnyStage } from "../registry/stage.ts";
import type { StoredAction } from "../store/store.ts";
import type { PipelineStage } from "./pipeline.ts";

/** The outputs that a stage makes with these parameters. */
export function outputsMade(
  definition: AnyStage,
  parameters: { readonly [name: string]: JsonValue },
): string[] {
  const omitted: readonly string[] = definition.omits?.(parameters) ?? [];
  return Object.keys(definition.outputs).filter((port) => !omitted.includes(port));
}

/** Whether a result has exactly the outputs that a stage makes: what was kept may have been made by something else. */
export function isResultOf(
  { stage: { definition }, parameters }: PipelineStage,
  { outputs }: Pick<StoredAction, "outputs">,
): boolean {
  const made = outputsMade(definition, parameters);
  return made.length === Object.keys(outputs).length &&
    made.every((port) =>
      Object.hasOwn(outputs, port) && outputs[port]!.kind === definition.outputs[port]!.kind
    );
}

/**
 * The work of the stage `compare`.
 *
 * @module
 */

import type { JsonValue } from "../../base/canonical_json.ts";
import type { Static } from "../../base/type.ts";
import type { InputArtifacts, StageResult } from "../../registry/stage.ts";
import type { inputs, outputs, parameters } from "./ports.ts";
import { csvOf, markdownOf, tableOf } from "./table.ts";

/** Puts evaluations side by side. */
export async function run(
  { metrics, front }: Static<typeof parameters>,
  { evaluations }: InputArtifacts<typeof inputs>,
): Promise<StageResult<typeof outputs>> {
  const measured = new Map<string, Readonly<Record<string, number>>>();
  for (const [address, evaluation] of evaluations) {
    measured.set(address, (await evaluation.load()).metrics);
  }
  const table = tableOf(measured, metrics, front);
  const encode = (text: string) => new TextEncoder().encode(text);
  return {
    outputs: {
      table: table as unknown as JsonValue,
      markdown: encode(markdownOf(table)),
      csv: encode(csvOf(table)),
    },
    metrics: { models: table.rows.length, front: table.rows.filter((row) => row.front).length },
  };
}

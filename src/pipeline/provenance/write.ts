/**
 * Writes the provenance of what a run exported, beside the files.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import type { SigningKey } from "../../base/signature.ts";
import type { KeyManifest } from "../../store/store.ts";
import type { StageOutcome } from "../execute.ts";
import type { PipelineStage } from "../pipeline.ts";
import type { Plan } from "../plan.ts";
import { provenancePath } from "../publish.ts";
import type { Published } from "../events.ts";
import { seal } from "./envelope.ts";
import { statementOf, statementText } from "./statement.ts";

/**
 * Writes a statement for each stage that exported something. Each file is there whole, or as it was before.
 *
 * @param key Signs the statements.
 * @returns What was written, by the stage's id.
 * @throws {UserError} If a file cannot be written.
 */
export async function writeProvenance(
  plan: Plan,
  outcomes: readonly StageOutcome[],
  key: SigningKey | undefined,
): Promise<Map<string, Published>> {
  const done = await stagesDone(plan, outcomes);
  const written = new Map<string, Published>();
  for (const { stage: id, published } of outcomes) {
    if (published.length === 0) continue;
    const path = provenancePath(done.get(id)!.stage, plan.pipeline)!;
    const statement = statementText(statementOf(id, plan, done));
    const text = key === undefined
      ? statement
      : `${JSON.stringify(seal(statement, key), null, 2)}\n`;
    const changed = await Deno.readTextFile(path).catch(() => undefined) !== text;
    if (changed) await write(path, text);
    written.set(id, { output: "provenance", path, changed });
  }
  return written;
}

async function stagesDone({ pipeline, stages, store }: Plan, outcomes: readonly StageOutcome[]) {
  const planned = new Map(stages.map((each) => [each.stage.id, each]));
  const done = new Map<
    string,
    { stage: PipelineStage; outcome: StageOutcome; manifest: KeyManifest }
  >();
  const byId = new Map(outcomes.map((outcome) => [outcome.stage, outcome]));
  for (const stage of pipeline.stages) {
    const outcome = byId.get(stage.id);
    if (outcome?.key === undefined || (outcome.status !== "hit" && outcome.status !== "ran")) {
      continue;
    }
    const manifest = planned.get(stage.id)?.action?.manifest ??
      (await store.lookup(outcome.key)).action?.manifest;
    if (manifest !== undefined) done.set(stage.id, { stage, outcome, manifest });
  }
  return done;
}

async function write(path: string, text: string): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}`;
  try {
    await Deno.writeTextFile(temporary, text);
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw new UserError({
      message: `Provenance "${path}" cannot be written: ${(error as Error).message}`,
      hint: "Export to another folder, or mend its permissions",
    }, { cause: error });
  }
}

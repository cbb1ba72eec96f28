/**
 * Sees to it that what a run exported has its provenance beside it.
 *
 * @module
 */

import type { JsonValue } from "../../base/canonical_json.ts";
import { importLater } from "../../base/import_later.ts";
import type { SigningKey } from "../../base/signature.ts";
import { VERSION } from "../../base/version.ts";
import { RUNTIME_VERSION } from "../../engine/identity.ts";
import { type Digest, digestOf } from "../../store/digest.ts";
import { Memos } from "../../store/memos.ts";
import type { Published } from "../events.ts";
import type { StageOutcome } from "../execute.ts";
import type { Plan } from "../plan.ts";

/** Raised when the same run would be stated otherwise. */
const STATEMENT_VERSION = 1;

/** The files that were written, by stage: path and digest. */
type Written = { readonly [stage: string]: readonly [path: string, digest: Digest] };

/**
 * Writes what is not there yet. A run of hits whose files are there needs neither the statements nor what makes them.
 *
 * @returns The files, by the id of the stage that exported.
 * @throws {UserError} If a file cannot be written.
 */
export async function stateProvenance(
  plan: Plan,
  outcomes: readonly StageOutcome[],
  key: SigningKey | undefined,
): Promise<Map<string, Published>> {
  let written: Map<string, Published> | undefined;
  const write = async () => {
    const { writeProvenance } = await importLater<typeof import("./write.ts")>(
      import.meta.resolve("./write.ts"),
    );
    written = await writeProvenance(plan, outcomes, key);
    return Object.fromEntries(
      Array.from(
        written,
        ([id, { path }]) => [id, [path, digestOf(Deno.readTextFileSync(path))] as const],
      ),
    );
  };
  const known = await new Memos(plan.store.root).get<Written>(facts(plan, outcomes, key), write);
  if (written === undefined && !Object.values(known!).every(isThere)) await write();
  return written ?? new Map(
    Object.entries(known!).map(([id, [path]]) => [
      id,
      { output: "provenance", path, changed: false },
    ]),
  );
}

function isThere([path, digest]: readonly [string, Digest]): boolean {
  try {
    return digestOf(Deno.readTextFileSync(path)) === digest;
  } catch {
    return false;
  }
}

/** All that statements depend on. */
function facts(
  { pipeline, inputs }: Plan,
  outcomes: readonly StageOutcome[],
  key: SigningKey | undefined,
): JsonValue {
  return {
    provenance: STATEMENT_VERSION,
    versions: [VERSION, Deno.version.deno, RUNTIME_VERSION],
    pipeline: [pipeline.name, pipeline.file, pipeline.directory, pipeline.source ?? null],
    settings: pipeline.settings,
    seed: pipeline.seed,
    inputs: Array.from(inputs, ([name, { record }]) => [
      name,
      record.kind,
      record.digest,
      pipeline.inputs.get(name)!.spec,
    ]),
    stages: outcomes.map(({ stage, status, key, metrics, outputs, expects, published }) => [
      stage,
      status === "hit" || status === "ran",
      key ?? null,
      metrics,
      Object.entries(outputs).map(([port, { kind, digest }]) => [port, kind, digest]),
      expects.map(({ metric, condition, met }) => [metric, condition, met]),
      published.map(({ output, path }) => [output, path]),
    ]),
    signer: key?.publicKey ?? null,
  };
}

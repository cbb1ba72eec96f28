/**
 * Statements of provenance, signed and not.
 *
 * @module
 */

import { join } from "node:path";
import type { JsonValue } from "../../../src/base/canonical_json.ts";
import { UserError } from "../../../src/base/errors.ts";
import type { Random } from "../../../src/base/random.ts";
import { SigningKey } from "../../../src/base/signature.ts";
import { executePlan } from "../../../src/pipeline/execute.ts";
import { loadPipeline } from "../../../src/pipeline/load.ts";
import { planPipeline } from "../../../src/pipeline/plan.ts";
import { checkProvenance } from "../../../src/pipeline/provenance/check.ts";
import { seal } from "../../../src/pipeline/provenance/envelope.ts";
import { openStore } from "../../../src/store/store.ts";
import type { Target } from "../fuzz.ts";
import { mutateBytes, mutateJson } from "../mutate.ts";
import { TEST_STAGES } from "../../../tests/pipeline/support.ts";

export async function provenanceTarget(folder: string): Promise<Target> {
  const file = join(folder, "p.yaml");
  Deno.writeTextFileSync(
    file,
    `name: fuzzed
plugins: [${JSON.stringify(TEST_STAGES)}]
stages:
  - { uses: number, with: { value: 3 } }
  - { uses: deliver, with: { to: out/value.json } }
`,
  );
  await using store = openStore(join(folder, "store"));
  await executePlan(await planPipeline(await loadPipeline(file), store), { executor: "inline" });
  const path = join(folder, "out/value.provenance.json");
  const text = Deno.readTextFileSync(path);
  const statement = JSON.parse(text) as JsonValue;
  const key = SigningKey.generate();
  const envelope = seal(text, key) as unknown as JsonValue;
  return {
    async attempt(random: Random, keep) {
      const damaged = random.integer(4) === 0
        ? new TextDecoder().decode(mutateBytes(new TextEncoder().encode(text), random))
        : JSON.stringify(mutateJson(random.integer(3) === 0 ? envelope : statement, random));
      keep(damaged);
      Deno.writeTextFileSync(path, damaged);
      const { faults } = await checkProvenance(path, []);
      if (faults.length > 0) throw new UserError(faults.join("\n"));
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

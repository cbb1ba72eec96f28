import assert from "node:assert/strict";
import { gather } from "./crowd.ts";

Deno.test("runs at once on one store make the same bytes, and execute each stage once", async () => {
  assert.deepEqual(await gather(2, 8), { runs: 16, repeated: 0, faults: [] });
});

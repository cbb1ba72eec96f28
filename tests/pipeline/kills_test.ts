import assert from "node:assert/strict";
import { Random } from "../../src/base/random.ts";
import { killAtRandom } from "./kills.ts";

Deno.test("runs that are killed at any moment end with the bytes of a whole run", async () => {
  const { killed, faults } = await killAtRandom(4, Random.from(1, "kills"));
  assert.equal(killed, 4);
  assert.deepEqual(faults, []);
});

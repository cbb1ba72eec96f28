/**
 * Kills runs at many random moments; each pipeline has to end with the bytes of a whole run, in a store without damage.
 *
 *     deno run -A --no-check bench/kills.ts --points 1000 --seed 0
 *
 * @module
 */

import { parseArgs } from "node:util";
import { Random } from "../src/base/random.ts";
import { killAtRandom } from "../tests/pipeline/kills.ts";

const { values } = parseArgs({
  options: {
    points: { type: "string", default: "1000" },
    seed: { type: "string", default: "0" },
  },
});
const random = Random.from(Number(values.seed), "kills");
const { killed, finished, moments, faults } = await killAtRandom(
  Number(values.points),
  random,
  (count, faults) => {
    if (count % 50 === 0) console.error(`${count} kills, ${faults.length} faults`);
  },
);
console.log(JSON.stringify({ killed, finished, moments, faults: [...new Set(faults)] }, null, 2));
Deno.exit(faults.length === 0 ? 0 : 1);

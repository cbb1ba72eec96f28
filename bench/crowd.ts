/**
 * Many runs at once of pipelines that have stages in common, on one store: all have to make the same bytes, and each
 * stage may be executed once.
 *
 *     deno run -A --no-check bench/crowd.ts --processes 20 --each 10
 *
 * @module
 */

import { parseArgs } from "node:util";
import { gather } from "../tests/pipeline/crowd.ts";

const { values } = parseArgs({
  options: {
    processes: { type: "string", default: "20" },
    each: { type: "string", default: "10" },
  },
});
const crowd = await gather(Number(values.processes), Number(values.each));
console.log(JSON.stringify(crowd, null, 2));
Deno.exit(crowd.faults.length === 0 ? 0 : 1);

/**
 * How good reconstruction is: pipelines on real networks, one for each row and seed, through the program itself.
 *
 *     deno task bench:reconstruct --row W4 --row W2A4 --seeds 3 [--with '{"steps": 500}']
 *
 * Written as a Markdown table: the divergence from the float network and the agreement of the class on items that
 * reconstruction never saw, top-1, and the time; with several seeds their mean, and the least and the greatest.
 * `--list` names the rows; `--memory` is what runs may take for values between units, before these go to files. Networks and data are looked up in `../shared/data`; the store is a temporary folder unless
 * BITBOUND_STORE names one, in which case what has run before is not run again.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { measure, type Measurement } from "./reconstruct/measure.ts";
import { ROWS } from "./reconstruct/rows.ts";
import { head, line } from "./reconstruct/table.ts";

const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    row: { type: "string", multiple: true },
    seeds: { type: "string", default: "1" },
    with: { type: "string", default: "{}" },
    memory: { type: "string", default: "1Gi" },
    list: { type: "boolean", default: false },
  },
});

if (options.list) {
  for (const [name, { description }] of Object.entries(ROWS)) {
    console.log(`${name}\t${description}`);
  }
  Deno.exit();
}
const names = options.row ?? Object.keys(ROWS);
for (const name of names) {
  if (!Object.hasOwn(ROWS, name)) throw new RangeError(`Row ${name} does not exist: see --list`);
}
const extra = JSON.parse(options.with) as Record<string, unknown>;
const folder = Deno.makeTempDirSync({ prefix: "bitbound-bench-" });
const store = Deno.env.get("BITBOUND_STORE") ?? `${folder}/store`;
try {
  console.log(head());
  for (const name of names) {
    const row = ROWS[name]!;
    const measurements: Measurement[] = [];
    for (let seed = 0; seed < Number(options.seeds); seed++) {
      measurements.push(await measure(row, seed, extra, options.memory, folder, store));
    }
    console.log(line(name, { ...row.parameters, ...extra }, measurements));
  }
} finally {
  Deno.removeSync(folder, { recursive: true });
}

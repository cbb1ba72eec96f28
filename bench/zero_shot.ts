/**
 * What can be done without data: pipelines on real networks, one for each row, through the program itself.
 *
 *     deno task bench:zero-shot --row W4A4-generator --row W4A4-real [--threads 1]
 *
 * Written as a Markdown table: the divergence from the float network and the agreement of the class on real items that
 * the pipeline never saw, top-1, and the seconds of the stage that the row is about. `--list` names the rows. Networks
 * and data are looked up in `../shared/data`; the store is a temporary folder unless BITBOUND_STORE names one, in which
 * case what has run before is not run again: rows have their first stages in common.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { measure } from "./reconstruct/measure.ts";
import { head, line } from "./reconstruct/table.ts";
import { rowsWith } from "./zero_shot/rows.ts";

const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    row: { type: "string", multiple: true },
    threads: { type: "string", default: "2" },
    seed: { type: "string", default: "0" },
    list: { type: "boolean", default: false },
  },
});

const rows = rowsWith(Number(options.threads));
if (options.list) {
  for (const [name, { description }] of rows) console.log(`${name}\t${description}`);
  Deno.exit();
}
const names = options.row ?? [...rows.keys()];
for (const name of names) {
  if (!rows.has(name)) throw new RangeError(`Row ${name} does not exist: see --list`);
}
const folder = Deno.makeTempDirSync({ prefix: "bitbound-bench-" });
const store = Deno.env.get("BITBOUND_STORE") ?? `${folder}/store`;
try {
  console.log(head());
  for (const name of names) {
    const row = rows.get(name)!;
    const measurement = await measure(row, Number(options.seed), {}, "1Gi", folder, store);
    console.log(line(name, row.parameters, [measurement]));
  }
} finally {
  Deno.removeSync(folder, { recursive: true });
}

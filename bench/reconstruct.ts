/**
 * How good reconstruction is: pipelines on real networks, one for each row and seed, through the program itself.
 *
 *     deno task bench:reconstruct --row W4 --row W2A4 --seeds 3 [--with '{"steps": 500}']
 *
 * Shown are the divergence from the float network and the agreement of the class on items that reconstruction never
 * saw, for the model as quantized and as reconstructed, and the time. Networks and data are looked up in
 * `../shared/data`; the store is a temporary folder unless BITBOUND_STORE names one.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Row, ROWS } from "./reconstruct/rows.ts";

const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    row: { type: "string", multiple: true },
    seeds: { type: "string", default: "1" },
    with: { type: "string", default: "{}" },
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
const extra = JSON.parse(options.with) as Record<string, unknown>;
const folder = Deno.makeTempDirSync({ prefix: "bitbound-bench-" });
const store = Deno.env.get("BITBOUND_STORE") ?? `${folder}/store`;
try {
  for (const name of names) {
    const row = ROWS[name];
    if (row === undefined) throw new RangeError(`Row ${name} does not exist: see --list`);
    for (let seed = 0; seed < Number(options.seeds); seed++) await measure(name, row, seed);
  }
} finally {
  Deno.removeSync(folder, { recursive: true });
}

function raise(): never {
  throw new Error("There are no stages");
}

interface StageOutcome {
  readonly id: string;
  readonly metrics?: Record<string, number>;
  readonly error?: unknown;
}

/** Runs one pipeline and prints one line. */
async function measure(name: string, row: Row, seed: number): Promise<void> {
  const file = `${folder}/${name}-${seed}.yaml`;
  // JSON is YAML.
  Deno.writeTextFileSync(file, JSON.stringify(row.pipeline(seed, extra), null, 2));
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-read",
      "--allow-write",
      "--allow-ffi",
      "--allow-env",
      "src/cli/main.ts",
      "run",
      file,
      "--json",
    ],
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    env: { BITBOUND_STORE: store },
  }).output();
  const text = new TextDecoder().decode(stdout);
  let stages: StageOutcome[];
  try {
    stages = (JSON.parse(text) as { stages?: StageOutcome[] }).stages ?? raise();
  } catch {
    throw new Error(`${name} failed: ${text}${new TextDecoder().decode(stderr)}`);
  }
  const metric = (id: string, metric: string) =>
    stages.find((stage) => stage.id === id)?.metrics?.[metric];
  const show = (value: number | undefined, digits = 4) => value?.toPrecision(digits) ?? "–";
  const columns = [
    name,
    `seed ${seed}`,
    `nearest KL ${show(metric("nearest", "kl"))}`,
    `KL ${show(metric("result", "kl"))}`,
    `agreement ${show(metric("result", "agreement"))}`,
    `float top-1 ${show(metric("float-top1", "top1"))}`,
    `nearest top-1 ${show(metric("nearest-top1", "top1"))}`,
    `top-1 ${show(metric("result-top1", "top1"))}`,
    `${show(metric("reconstruct", "seconds"), 3)} s`,
  ];
  console.log(columns.join(" | "));
  const failed = stages.filter(({ error }) => error !== undefined);
  if (failed.length > 0) console.log(JSON.stringify(failed));
}

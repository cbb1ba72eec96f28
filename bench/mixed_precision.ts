/**
 * What chosen widths are worth: the divergence from the float network with one width for all layers and with chosen
 * ones, in as many bytes, both reconstructed alike. On items that neither reconstruction nor search saw.
 *
 *     deno run -A bench/mixed_precision.ts resnet20 3 --seeds 3
 *
 * The first and the last layer of the uniform network have 8 bits; those of the other get what the search gives them.
 * With `--prune` the other network is without the channels that are always zero, and the search has their bytes to spend.
 * Sensitivities are losses after reconstruction on items that it did not learn from, measured with the seed of the pipeline
 * unless `--table` says another; the search tries models out on such items too, where there are enough of them. Networks and data are looked up in
 * `../shared/data`; the store is a temporary folder unless BITBOUND_STORE names one.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

interface Network {
  readonly model: string;
  readonly calibration: unknown;
  /** What sensitivities are measured on. */
  readonly sample: unknown;
  /** What models are tried on. */
  readonly validation: unknown;
  /** What results are measured on. */
  readonly test: unknown;
}

const shared = (path: string) =>
  fileURLToPath(new URL(`../../shared/data/${path}`, import.meta.url));

const CIFAR = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const cifar = (part: Record<string, number>) => ({
  cifar: shared("cifar10/train_4000.bin"),
  ...part,
  preprocess: CIFAR,
});
const photographs = (part: Record<string, number>) => ({
  images: shared("imagenet/images"),
  labels: shared("imagenet/labels.csv"),
  ...part,
  preprocess: { resize: [227, 227], channels: "bgr", scale: 1, mean: [104, 117, 123] },
});

const NETWORKS: Readonly<Record<string, Network>> = {
  resnet20: {
    model: shared("models/cifar10_resnet20.onnx"),
    calibration: cifar({ take: 1024 }),
    sample: cifar({ take: 2000 }),
    validation: cifar({ skip: 1024, take: 976 }),
    test: cifar({ skip: 2000 }),
  },
  squeezenet: {
    model: shared("models/squeezenet1.1.onnx"),
    calibration: photographs({ take: 250 }),
    sample: photographs({ take: 250 }),
    validation: photographs({ take: 250 }),
    test: photographs({ skip: 250 }),
  },
};

const { values: options, positionals: [name = "resnet20", bits = "3"] } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: {
    seeds: { type: "string", default: "1" },
    /** The first seed. */
    from: { type: "string", default: "0" },
    /** Trials of the search; 0 for none. */
    trials: { type: "string", default: "8" },
    method: { type: "string", default: "reconstruction" },
    bits: { type: "string", default: "[2, 3, 4, 5, 6, 8]" },
    /** Parameters of `sensitivity`, of `reconstruct` and of trials, as JSON. */
    sensitivity: { type: "string", default: "{}" },
    reconstruct: { type: "string", default: "{}" },
    try: { type: "string", default: "{}" },
    threads: { type: "string", default: "2" },
    prune: { type: "boolean", default: false },
    /** The seed that sensitivities are measured with; that of the pipeline unless given. */
    table: { type: "string" },
  },
});
const network = NETWORKS[name];
if (network === undefined) throw new RangeError(`Network ${name} does not exist`);
const { model, ...data } = network;
const folder = Deno.makeTempDirSync({ prefix: "bitbound-bench-" });
const store = Deno.env.get("BITBOUND_STORE") ?? `${folder}/store`;
/** What comes before layers are measured and given widths. */
const PRUNE = options.prune
  ? [{ id: "prune", uses: "prune-channels", in: { calibration: "inputs.calibration" } }]
  : [];
const WEIGHTS = { symmetric: false, range: "mse" };
const learning = {
  preset: "fast",
  threads: Number(options.threads),
  ...JSON.parse(options.reconstruct),
};

/** A quantized model, reconstructed and measured. */
function stagesOf(id: string, source: Record<string, unknown>): unknown[] {
  return [
    {
      id,
      uses: "quantize",
      ...source,
    },
    { id: `${id}-learned`, uses: "reconstruct", in: { model: `${id}.model` }, with: learning },
    {
      id: `${id}-result`,
      uses: "evaluate",
      in: { model: `${id}-learned.model`, reference: "prepare.model", test: "inputs.test" },
      with: { metrics: ["kl", "agreement"] },
    },
  ];
}

interface Outcome {
  readonly id: string;
  readonly metrics?: Readonly<Record<string, number>>;
  readonly outputs?: Readonly<Record<string, { readonly path: string }>>;
}

/** Runs a pipeline; what came of each stage, by name. */
async function run(
  seed: number,
  stages: readonly unknown[],
  more: Record<string, unknown> = {},
): Promise<Record<string, Outcome>> {
  const file = `${folder}/pipeline.yaml`;
  const pipeline = {
    name: "bench-mixed-precision",
    seed,
    inputs: { model: { onnx: model }, ...data, ...more },
    stages: [{ id: "prepare", uses: "prepare", with: { batch: "dynamic" } }, ...stages],
  };
  // JSON is YAML.
  Deno.writeTextFileSync(file, JSON.stringify(pipeline));
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "src/cli/main.ts",
      "run",
      file,
      "--json",
      "--jobs",
      "1",
      "--threads",
      options.threads,
    ],
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    env: { BITBOUND_STORE: store },
  }).output();
  const text = new TextDecoder().decode(stdout);
  if (code !== 0) throw new Error(`${text}\n${new TextDecoder().decode(stderr)}`);
  const outcomes: Outcome[] = JSON.parse(text).stages;
  return Object.fromEntries(outcomes.map((outcome) => [outcome.id, outcome]));
}

/** What each layer costs at each width, measured with a seed: an artifact of the store. */
async function measureSensitivity(seed: number): Promise<{ json: string; kind: string }> {
  const table = await run(seed, [...PRUNE, {
    id: "sensitivity",
    uses: "sensitivity",
    in: { calibration: "inputs.sample" },
    with: {
      method: options.method,
      bits: JSON.parse(options.bits),
      weights: WEIGHTS,
      ...options.method === "reconstruction" && { reconstruction: { steps: 200 } },
      ...JSON.parse(options.sensitivity),
    },
  }]);
  return { json: table["sensitivity"]!.outputs!["sensitivity"]!.path, kind: "sensitivity" };
}

const ratios: number[] = [];
console.log(
  "| seed | bytes | uniform KL | predicted best, KL | tried best, KL | of uniform | trials |",
);
console.log("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
const first = Number(options.from);
for (let seed = first; seed < first + Number(options.seeds); seed++) {
  const sensitivity = await measureSensitivity(Number(options.table ?? seed));
  const uniform = await run(
    seed,
    stagesOf("uniform", {
      with: {
        weights: { bits: Number(bits), ...WEIGHTS },
        activations: { mode: "none" },
        first_last: "brecq",
      },
    }),
  );
  const size = uniform["uniform"]!.metrics!["weight_bytes"]!;
  const trials = {
    count: Number(options.trials),
    weights: WEIGHTS,
    reconstruction: { steps: 400 },
    ...JSON.parse(options.try),
  };
  const narrow = (id: string, from: string) =>
    stagesOf(id, {
      in: { assignment: `${from}.assignment` },
      with: { weights: { ...WEIGHTS }, activations: { mode: "none" } },
    });
  const chosen = await run(seed, [
    ...PRUNE,
    { id: "predicted", uses: "search", with: { budget: { size }, unreachable: "fail" } },
    ...narrow("plain", "predicted"),
    ...trials.count === 0 ? [] : [
      { id: "tried", uses: "search", with: { budget: { size }, unreachable: "fail", trials } },
      ...narrow("mixed", "tried"),
    ],
  ], { sensitivity });
  const kl = (outcomes: Record<string, Outcome>, id: string) => outcomes[id]?.metrics?.["kl"];
  const [plain, own, all] = [
    kl(chosen, "plain-result")!,
    kl(chosen, "mixed-result"),
    kl(uniform, "uniform-result")!,
  ];
  ratios.push((own ?? plain) / all);
  console.log(
    `| ${seed} | ${size} | ${all.toPrecision(4)} | ${plain.toPrecision(4)} | ${
      own?.toPrecision(4) ?? "–"
    } | ${ratios.at(-1)!.toFixed(3)} | ${chosen["tried"]?.metrics?.["trials"] ?? 0} |`,
  );
}
const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
console.log(`\nMean of ${ratios.length}: ${mean.toFixed(3)} of the uniform network's divergence`);
Deno.removeSync(folder, { recursive: true });

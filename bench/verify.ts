/**
 * Verification on known networks, beside the numbers that it has to reach.
 *
 *     deno task bench:verify --row "p3 fp16" --networks 6 --threads 2
 *
 * @module
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { type Box, box } from "../src/verify/box.ts";
import { largestFound, largestProven } from "../src/verify/bracket.ts";
import type { PairedNetwork } from "../src/verify/network/network.ts";
import { pairModels } from "../src/verify/network/pair.ts";
import type { SearchResult } from "../src/verify/split/search.ts";
import { METHODS, Verifier, type VerifyOptions } from "../src/verify/verify.ts";
import { acasBox, acasNetworks, narrowed, network, property, shared } from "./verify/pairs.ts";

const { values: given } = parseArgs({
  options: {
    row: { type: "string", default: "" },
    networks: { type: "string", default: "1000" },
    threads: { type: "string", default: "1" },
    boxes: { type: "string", default: "Infinity" },
  },
});
const THREADS = Number(given.threads);
const MOST = Number(given.networks);

/** One case: a name, a pair, the box. */
interface Case {
  readonly name: string;
  readonly pair: PairedNetwork;
  readonly box: Box;
}

/** One line of the table. */
interface Row {
  readonly name: string;
  readonly required: string;
  readonly cases: () => AsyncIterable<Case>;
  readonly options: Omit<VerifyOptions, "semantics" | "threads">;
  summarize(results: readonly SearchResult[]): string;
}

async function* acas(number: number, how: "half" | "int8 tensor"): AsyncIterable<Case> {
  for (const name of acasNetworks(number).slice(0, MOST)) {
    const model = await network(`acasxu/ACASXU_run2a_${name}.onnx`);
    yield { name, pair: narrowed(model, how), box: acasBox(number) };
  }
}

async function* digits(radius: number): AsyncIterable<Case> {
  const pair = pairModels(
    await network("mnist_3x100/mnist_relu_3_100.onnx"),
    await network("mnist_3x100/mnist_relu_3_100_fp16.onnx"),
  );
  // 100 images of bytes stand behind the header.
  const file = await Deno.readFile(shared("mnist_3x100/images.npy"));
  const size = pair.input.size;
  for (let image = 0; image < Math.min(100, MOST); image++) {
    const from = file.length - (100 - image) * size;
    const pixels = Array.from(file.subarray(from, from + size), (byte) => byte / 255);
    const lower = pixels.map((pixel) => Math.max(pixel - radius, 0));
    const upper = pixels.map((pixel) => Math.min(pixel + radius, 1));
    yield { name: `${image}`, pair, box: box(lower, upper) };
  }
}

async function* around(
  path: string,
  properties: readonly string[],
  radius?: number,
): AsyncIterable<Case> {
  const pair = narrowed(await network(path), "int8 channel");
  for (const name of properties.slice(0, MOST)) {
    const whole = await property(name);
    // Boxes of radius 0.03 around pixels, cut to 0 … 1: a pixel is where a side that was not cut says.
    const pixels = whole.upper.map((to, at) => to < 1 ? to - 0.03 : whole.lower[at]! + 0.03);
    const domain = radius === undefined ? whole : box(
      pixels.map((x) => Math.max(x - radius, 0)),
      pixels.map((x) => Math.min(x + radius, 1)),
    );
    yield { name, pair, box: domain };
  }
}

/** Every input that a network of ACAS Xu can have. */
async function* wholeRange(): AsyncIterable<Case> {
  const pair = narrowed(await network("acasxu/ACASXU_run2a_1_1.onnx"), "int8 tensor");
  yield { name: "1_1", pair, box: acasBox("all") };
}

const mean = (numbers: readonly number[]) =>
  numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
const proved = (target: number) => (results: readonly SearchResult[]) =>
  `${
    results.filter((each) => largestProven(each) <= target).length
  } of ${results.length} proved, ` +
  `${results.filter((each) => largestFound(each) > target).length} refuted, ` +
  `${results.reduce((sum, { splits }) => sum + splits, 0)} splits`;
const onePass = (results: readonly SearchResult[]) =>
  mean(results.map(largestProven)).toPrecision(4);
const narrow = (ratio: number) => (results: readonly SearchResult[]) => {
  const ratios = results.map(({ outputs }) =>
    Math.max(...outputs.map(({ found, proven }) => proven / found))
  );
  return `${
    ratios.filter((each) => each <= ratio).length
  } of ${ratios.length} within ${ratio}, worst ${Math.max(...ratios).toFixed(3)}`;
};
const largest = (results: readonly SearchResult[]) =>
  results.map((each) =>
    `${largestProven(each).toPrecision(3)} (found ${largestFound(each).toPrecision(3)})`
  )
    .join(", ");

const anytime = (result: SearchResult) =>
  `${largestProven(result).toPrecision(3)} (found ${largestFound(result).toPrecision(3)}), ` +
  `${(100 * result.settled).toFixed(1)} % settled by ${result.boxes} boxes, ` +
  `about ${result.left.toExponential(0)} left`;

const whole = { method: "differential", split: false } as const;
const search = {
  method: "differential",
  split: true,
  time: 60_000,
  boxes: Number(given.boxes),
} as const;
const boxes = [0, 1, 2, 3, 4];
const convolutions = () =>
  around("conv/cifar_base_kw.onnx", [
    "conv/cifar_base_kw-img1598-eps0.0026143790849673205.vnnlib",
    "conv/cifar_base_kw-img1697-eps0.0014379084967320263.vnnlib",
    "conv/cifar_base_kw-img4549-eps0.00392156862745098.vnnlib",
  ]);

/** Every method on three models, without splitting. */
const LADDER = METHODS.flatMap((method): Row[] =>
  ([
    ["ACAS Xu p3 fp16", () => acas(3, "half")],
    ["MNIST 3x100 fp16", () => digits(3 / 255)],
    ["CIFAR conv int8", convolutions],
  ] as const).map(([name, cases]) => ({
    name: `ladder ${method}, ${name}`,
    required: "–",
    cases,
    options: { method, split: false },
    summarize: onePass,
  }))
);

const ROWS: readonly Row[] = [
  {
    name: "p3 one pass",
    required: "≤ 0.26",
    cases: () => acas(3, "half"),
    options: whole,
    summarize: onePass,
  },
  {
    name: "p4 one pass",
    required: "≤ 0.28",
    cases: () => acas(4, "half"),
    options: whole,
    summarize: onePass,
  },
  {
    name: "p3 merged CROWN",
    required: "–",
    cases: () => acas(3, "half"),
    options: { ...whole, method: "crown-merged" },
    summarize: onePass,
  },
  {
    name: "p3 fp16 0.01",
    required: "42, ≤ 3000 splits, ≤ 5 s",
    cases: () => acas(3, "half"),
    options: { ...search, target: 0.01 },
    summarize: proved(0.01),
  },
  {
    name: "p4 fp16 0.01",
    required: "42, ≤ 700 splits, ≤ 2 s",
    cases: () => acas(4, "half"),
    options: { ...search, target: 0.01 },
    summarize: proved(0.01),
  },
  {
    name: "p1 fp16 0.05",
    required: "45, ≤ 30 s",
    cases: () => acas(1, "half"),
    options: { ...search, target: 0.05 },
    summarize: proved(0.05),
  },
  {
    name: "p3 int8 bracket",
    required: "1.05, median ≤ 2 s",
    cases: () => acas(3, "int8 tensor"),
    options: { ...search, ratio: 1.05 },
    summarize: narrow(1.05),
  },
  {
    name: "p1 int8 bracket",
    required: "≥ 40 of 45 within 1.1, ≤ 10 min",
    cases: () => acas(1, "int8 tensor"),
    options: { ...search, ratio: 1.1, time: 30_000 },
    summarize: narrow(1.1),
  },
  {
    name: "MNIST 3x100 fp16 3/255",
    required: "≤ 0.0025, ≤ 20 ms an image",
    cases: () => digits(3 / 255),
    options: whole,
    summarize: onePass,
  },
  {
    name: "MNIST 256x4 int8 0.02",
    required: "≤ 0.0088, ≤ 0.5 s",
    cases: () =>
      around(
        "mnistfc/mnist-net_256x4.onnx",
        boxes.map((at) => `mnistfc/prop_${at}_0.03.vnnlib`),
        0.02,
      ),
    options: whole,
    summarize: largest,
  },
  {
    name: "conv int8",
    required: "≤ 0.07",
    cases: convolutions,
    options: whole,
    summarize: largest,
  },
  {
    name: "max pool int8 0.004",
    required: "finite",
    cases: () => around("conv/Convnet_maxpool.onnx", ["conv/maxpool_specs_prop_0_0.004.vnnlib"]),
    options: whole,
    summarize: largest,
  },
  {
    name: "average pool int8 0.02",
    required: "finite",
    cases: () => around("conv/Convnet_avgpool.onnx", ["conv/avgpool_specs_prop_0_0.02.vnnlib"]),
    options: whole,
    summarize: largest,
  },
  {
    name: "ResNet 2b int8 0.008",
    required: "finite",
    cases: () =>
      around("cifar10_resnet/resnet_2b.onnx", [
        "cifar10_resnet/resnet_2b_prop_0_eps_0.008.vnnlib",
      ]),
    options: whole,
    summarize: largest,
  },
  {
    name: "ACAS Xu, all inputs",
    required: "an honest bracket in 60 s",
    cases: wholeRange,
    options: { ...search, ratio: 1.1 },
    summarize: (results) => results.map(anytime).join(", "),
  },
  ...LADDER,
];

for (const row of ROWS) {
  if (!row.name.includes(given.row)) continue;
  const results: SearchResult[] = [];
  const began = performance.now();
  const before = process.cpuUsage();
  let verifier: Verifier | undefined;
  let pair: PairedNetwork | undefined;
  for await (const each of row.cases()) {
    if (each.pair !== pair) {
      await verifier?.[Symbol.asyncDispose]();
      pair = each.pair;
      verifier = new Verifier(pair, { ...row.options, threads: THREADS });
    }
    results.push(await verifier!.verify(each.box));
  }
  await verifier?.[Symbol.asyncDispose]();
  const { user, system } = process.cpuUsage(before);
  const wall = (performance.now() - began) / 1000;
  console.log(
    `${row.name.padEnd(40)} required ${row.required.padEnd(34)} ${row.summarize(results)}; ` +
      `${wall.toFixed(1)} s, ${((user + system) / 1e6).toFixed(1)} s of processor time`,
  );
}

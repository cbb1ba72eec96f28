/**
 * The lines of the table: which cases, how they are verified, and what has to be reached.
 *
 * @module
 */

import { largestFound, largestProven } from "../../src/verify/bracket.ts";
import type { SearchResult } from "../../src/verify/split/search.ts";
import { METHODS, type VerifyOptions } from "../../src/verify/verify.ts";
import { acas, acasPairs, type Cases, digits, properties, resnet20, wholeRange } from "./cases.ts";
import type { Narrowed } from "./pairs.ts";

/** How the cases of a row are bounded. */
export interface RowOptions extends Omit<VerifyOptions, "semantics" | "threads" | "method"> {
  readonly method: VerifyOptions["method"] | "zonotope";
}

/** One line of the table. */
export interface Row {
  readonly name: string;
  readonly required: string;
  readonly cases: () => Cases;
  readonly options: RowOptions;
  /** Whether large differences are looked for by ascents, which takes its own time; else middles of boxes count. */
  readonly attacks?: boolean;
  summarize(results: readonly SearchResult[]): string;
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

const brackets = (results: readonly SearchResult[]) =>
  results.map((each) =>
    `${largestProven(each).toPrecision(3)} (found ${largestFound(each).toPrecision(3)})`
  ).join(", ");

const means = (results: readonly SearchResult[]) =>
  `${onePass(results)} (found ${mean(results.map(largestFound)).toPrecision(3)}), ` +
  `worst ${Math.max(...results.map(largestProven)).toPrecision(3)}`;

const anytime = (results: readonly SearchResult[]) =>
  results.map((result) =>
    `${brackets([result])}, ` +
    `${(100 * result.settled).toFixed(1)} % settled by ${result.boxes} boxes, ` +
    `about ${result.left.toExponential(0)} left`
  ).join(", ");

const WHOLE = { method: "differential", split: false } as const;

const CIFAR_CONV = [
  "conv/cifar_base_kw-img1598-eps0.0026143790849673205.vnnlib",
  "conv/cifar_base_kw-img1697-eps0.0014379084967320263.vnnlib",
  "conv/cifar_base_kw-img4549-eps0.00392156862745098.vnnlib",
];
const convolutions = () =>
  properties({ path: "conv/cifar_base_kw.onnx", properties: CIFAR_CONV, how: "int8 channel" });

/** Networks of images on files' boxes, by how narrow the copy is. */
function imageRows(
  name: string,
  path: string,
  files: readonly string[],
  copies: readonly ("int8" | "int4" | "W8A8")[],
): Row[] {
  return copies.map((copy): Row => ({
    name: `${name} ${copy}`,
    required: "finite",
    cases: () =>
      properties({
        path,
        properties: files,
        how: copy === "int4" ? "int4 channel" : "int8 channel" satisfies Narrowed,
        rounds: copy === "W8A8",
      }),
    options: WHOLE,
    attacks: true,
    summarize: brackets,
  }));
}

const LADDER = ([...METHODS, "zonotope"] as const).flatMap((method): Row[] =>
  ([
    ["ACAS Xu p3 fp16", () => acas(3, "half")],
    ["MNIST 3x100 fp16", () => digits(3 / 255, "half")],
    ["CIFAR conv int8", convolutions],
  ] as const).map(([name, cases]) => ({
    name: `ladder ${method}, ${name}`,
    required: "–",
    cases,
    options: { method, split: false },
    summarize: onePass,
  }))
);

/**
 * The table.
 *
 * @param boxes How many boxes a search may bound.
 */
export function rows(boxes: number): readonly Row[] {
  const search = { method: "differential", split: true, time: 60_000, boxes } as const;
  const onePassOf = (number: 3 | 4, required: string): Row => ({
    name: `p${number} one pass`,
    required,
    cases: () => acas(number, "half"),
    options: WHOLE,
    summarize: onePass,
  });
  const proof = (number: 1 | 3 | 4, target: number, required: string): Row => ({
    name: `p${number} fp16 ${target}`,
    required,
    cases: () => acas(number, "half"),
    options: { ...search, target },
    summarize: proved(target),
  });
  const digitsOf = (pixels: number, required: string, how: "W8A8" | "endless" = "W8A8"): Row => ({
    name: `MNIST 3x100 ${how === "W8A8" ? how : "W8A8, endless grids"} ${pixels}/255`,
    required,
    cases: () => digits(pixels / 255, how),
    options: WHOLE,
    attacks: pixels > 0,
    summarize: means,
  });
  return [
    onePassOf(3, "≤ 0.26"),
    onePassOf(4, "≤ 0.28"),
    proof(3, 0.01, "42, ≤ 3000 splits, ≤ 5 s"),
    proof(4, 0.01, "42, ≤ 700 splits, ≤ 2 s"),
    proof(1, 0.05, "45, ≤ 30 s"),
    {
      name: "all pairs fp16 0.01",
      required: "143",
      cases: () => acasPairs("half"),
      options: { ...search, target: 0.01, time: 600_000 },
      summarize: proved(0.01),
    },
    ...([3, 4] as const).map((number): Row => ({
      name: `p${number} fp16 bracket`,
      required: "1.1, ≤ 10 s a network",
      cases: () => acas(number, "half"),
      options: { ...search, ratio: 1.1, time: 10_000 },
      summarize: narrow(1.1),
    })),
    {
      name: "p3 int8 bracket",
      required: "1.05, median ≤ 2 s",
      cases: () => acas(3, "int8 tensor"),
      options: { ...search, ratio: 1.05, time: 600_000 },
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
      cases: () => digits(3 / 255, "half"),
      options: WHOLE,
      summarize: onePass,
    },
    digitsOf(3, "≤ 0.96"),
    digitsOf(1, "≤ 0.54"),
    digitsOf(0, "exact"),
    digitsOf(3, "≤ 0.96", "endless"),
    digitsOf(1, "≤ 0.54", "endless"),
    {
      name: "MNIST 256x4 int8 0.02",
      required: "≤ 0.0088, ≤ 0.5 s",
      cases: () =>
        properties({
          path: "mnistfc/mnist-net_256x4.onnx",
          properties: [0, 1, 2, 3, 4].map((at) => `mnistfc/prop_${at}_0.03.vnnlib`),
          how: "int8 channel",
          radius: 0.02,
        }),
      options: WHOLE,
      summarize: brackets,
    },
    {
      name: "conv int8",
      required: "≤ 0.07",
      cases: convolutions,
      options: WHOLE,
      summarize: brackets,
    },
    ...imageRows(
      "max pool 0.004",
      "conv/Convnet_maxpool.onnx",
      ["conv/maxpool_specs_prop_0_0.004.vnnlib", "conv/maxpool_specs_prop_10_0.004.vnnlib"],
      ["int8", "W8A8"],
    ),
    ...imageRows(
      "average pool 0.02",
      "conv/Convnet_avgpool.onnx",
      ["conv/avgpool_specs_prop_0_0.02.vnnlib"],
      ["int8", "W8A8"],
    ),
    ...imageRows(
      "ResNet 2b 0.008",
      "cifar10_resnet/resnet_2b.onnx",
      ["cifar10_resnet/resnet_2b_prop_0_eps_0.008.vnnlib"],
      ["int8", "int4", "W8A8"],
    ),
    {
      name: "ResNet-20 int8 1/255",
      required: "finite, ≤ 5 min an image",
      cases: () => resnet20(10),
      options: { method: "interval", split: false },
      summarize: brackets,
    },
    {
      name: "ACAS Xu, all inputs",
      required: "an honest bracket in 60 s",
      cases: wholeRange,
      options: { ...search, ratio: 1.1 },
      summarize: anytime,
    },
    ...LADDER,
  ];
}

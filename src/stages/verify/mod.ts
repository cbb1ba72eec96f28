/**
 * The stage `verify`: a guaranteed bound on the difference of two models.
 *
 * @module
 */

import { importLater } from "../../base/import_later.ts";
import { defineStage } from "../../registry/stage.ts";
import { inputs, outputs, parameters } from "./ports.ts";

export const verify = defineStage({
  name: "verify",
  version: 24,
  summary: "Prove how far a quantized model's outputs can be from the original's",
  description: [
    "For every input of a domain, not only for those of a data set, no output of the two models differs by more than the " +
    "bound. The answer is a bracket: what is proven, and the largest difference that was found, with the input that " +
    "shows it.",
    "Models of Gemm, MatMul, Conv, Add, Sub, Mul and Div by constants, BatchNormalization, pools, Relu, LeakyRelu, PRelu, " +
    "Clip, Sigmoid, Tanh, operators that move values, and quantizers. See the guide on guarantees for what exactly is claimed.",
  ].join("\n\n"),
  parameters,
  inputs,
  outputs,
  metrics: {
    bound: {
      title: "bound",
      description: "The largest proven difference of any output, on any box of the domain.",
      unit: "bound",
      better: "lower",
      column: true,
    },
    found: {
      title: "found",
      description: "The largest difference that was found.",
      unit: "number",
      better: "lower",
    },
    ratio: {
      title: "bound / found",
      description: "How far the bound can be from the truth at most.",
      unit: "bound",
      better: "lower",
    },
    settled: {
      title: "settled",
      description: "Share of the domain's volume on which `stop` was reached.",
      unit: "fraction",
      better: "higher",
    },
    certified: {
      title: "certified",
      description:
        "The largest difference that the certificate allows; not there if there is no certificate.",
      unit: "bound",
      better: "lower",
    },
    certified_share: {
      title: "classes kept",
      description:
        "For `linf` around labelled items: share of the items around which every input of the box provably has the same " +
        "class in both models, and that of the item.",
      unit: "fraction",
      better: "higher",
    },
    from_weights: {
      title: "from weights",
      description: "Share of the largest box's bound that changed weights make, without splitting.",
      unit: "fraction",
    },
    from_rounding: {
      title: "from rounding",
      description: "Share that rounding of activations makes.",
      unit: "fraction",
    },
    from_saturation: {
      title: "from saturation",
      description: "Share that the ends of the grids of activations make.",
      unit: "fraction",
    },
    from_arithmetic: {
      title: "from arithmetic",
      description: "Share that `semantics: float32` makes.",
      unit: "fraction",
    },
    boxes: { title: "boxes", description: "Boxes that were bounded.", unit: "count" },
  },
  engine: true,
  rehearse: ({ domain, stop, attack }) => ({
    ...(typeof domain === "object" && "linf" in domain && { domain: { ...domain, take: 1 } }),
    stop: { ...stop, boxes: 2 },
    attack: { ...attack, restarts: 1, steps: 2 },
  }),
  ignores: ({ domain }) => {
    const used = typeof domain === "string"
      ? ({ property: "property", range: "ranges" } as const)[domain]
      : "linf" in domain
      ? "test"
      : undefined;
    return (["property", "test", "ranges"] as const).filter((port) => port !== used);
  },
  omits: ({ emit }) => emit === "merged" ? [] : ["merged"],
  publish: ({ to }, pipeline) => {
    if (to === undefined) return [];
    const file = `${to}/${pipeline.name}`;
    return [
      { output: "certificate", to: `${file}-certificate.json` },
      { output: "bracket", to: `${file}-bracket.json` },
      { output: "witness", to: `${file}-witness.npy` },
    ];
  },
  validate: ({ method, split, semantics }) => [
    ...method !== "differential" && split === false
      ? [{
        path: ["split"],
        message: `split is for method differential: method is ${method}`,
        hint: "Leave it out",
      }]
      : [],
    ...method === "exact" && semantics !== "real"
      ? [{
        path: ["semantics"],
        message: `method exact knows exact arithmetic only: semantics is ${semantics}`,
        hint: "Take method differential, or semantics real",
      }]
      : [],
  ],
  load: () => importLater<typeof import("./run.ts")>(import.meta.resolve("./run.ts")),
});

export default verify;

/**
 * How the numbers of an evaluation are called and shown.
 *
 * @module
 */

import type { Unit } from "../../base/units.ts";

/** One number of an evaluation. */
export interface ReportedMetric {
  readonly title: string;
  readonly description: string;
  readonly unit: Unit;
  readonly better?: "higher" | "lower";
  /** Whether result tables show it. */
  readonly column?: boolean;
  /** The number that says the same of the float model. */
  readonly reference?: string;
}

const fraction = { unit: "fraction", better: "higher" } as const;
const drop = { unit: "fraction", better: "lower" } as const;
const decibel = { unit: "decibel", better: "higher" } as const;
const bytes = { unit: "bytes", better: "lower" } as const;

/** By the names that evaluations use. */
export const REPORTED_METRICS = {
  bits: {
    title: "bits",
    description: "Mean bits of a weight, scales not counted; biases are not weights.",
    unit: "bits",
    better: "lower",
    column: true,
    reference: "float_bits",
  },
  float_bits: {
    title: "float bits",
    description: "Mean bits of a weight of the float model.",
    unit: "bits",
  },
  file_bytes: {
    title: "file",
    description: "Size of the model's file.",
    ...bytes,
    column: true,
    reference: "float_bytes",
  },
  weight_bytes: {
    title: "weights",
    description: "Bytes of the weights, packed at their own width, with scales and zero points.",
    ...bytes,
    column: true,
    reference: "float_weight_bytes",
  },
  float_bytes: { title: "float file", description: "Size of the float model's file.", ...bytes },
  float_weight_bytes: {
    title: "float weights",
    description: "Bytes of the float model's weights.",
    ...bytes,
  },
  top1: {
    title: "top-1",
    description: "Fraction of items whose largest output is the label's.",
    ...fraction,
    column: true,
    reference: "reference_top1",
  },
  reference_top1: { title: "float top-1", description: "top1 of the float model.", ...fraction },
  top1_drop: {
    title: "top-1 drop",
    description: "reference_top1 − top1: negative where the model is better than the float one.",
    ...drop,
    column: true,
  },
  top5: {
    title: "top-5",
    description: "Fraction of items whose label is among the five largest outputs.",
    ...fraction,
    column: true,
    reference: "reference_top5",
  },
  reference_top5: { title: "float top-5", description: "top5 of the float model.", ...fraction },
  top5_drop: { title: "top-5 drop", description: "reference_top5 − top5.", ...drop },
  agreement: {
    title: "agreement",
    description: "Fraction of items to which the model and the float model give the same class.",
    ...fraction,
    column: true,
  },
  kl: {
    title: "KL",
    description:
      "Mean Kullback–Leibler divergence of the model's probabilities from the float model's, in nats.",
    unit: "number",
    better: "lower",
    column: true,
  },
  worst_class_top1: {
    title: "worst class",
    description: "Lowest top1 of the classes that occur.",
    ...fraction,
  },
  mse: {
    title: "MSE",
    description: "Mean squared difference between the outputs of the model and the float model.",
    unit: "number",
    better: "lower",
    column: true,
  },
  sqnr: {
    title: "SQNR",
    description:
      "Power of the float model's outputs over the mean squared difference; 200 where there is none.",
    ...decibel,
  },
  cosine: {
    title: "cosine",
    description: "Mean cosine of the angle between the outputs of the model and the float model.",
    unit: "number",
    better: "higher",
    column: true,
  },
  psnr: {
    title: "PSNR",
    description: "Mean peak signal-to-noise ratio against the targets.",
    ...decibel,
    column: true,
    reference: "reference_psnr",
  },
  reference_psnr: { title: "float PSNR", description: "psnr of the float model.", ...decibel },
  psnr_drop: {
    title: "PSNR drop",
    description: "reference_psnr − psnr.",
    unit: "decibel",
    better: "lower",
    column: true,
  },
  items: { title: "items", description: "How many items were evaluated.", unit: "count" },
  integer_nodes: {
    title: "integer nodes",
    description: "Nodes that ran in integer kernels; only with integer arithmetic.",
    unit: "count",
    better: "higher",
  },
} as const satisfies Readonly<Record<string, ReportedMetric>>;

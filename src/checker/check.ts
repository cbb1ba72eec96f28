/**
 * Checking certificates, from nothing but their text and the two model files.
 *
 * Nothing here comes from the program that made them: models are read, bounds computed and roundings accounted for by
 * code of its own, in float64 with every rounding charged. What a certificate gives is only how to split.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { type Certificate, type CertifiedBox, readCertificate } from "./certificate.ts";
import { NetworkReader } from "./network.ts";
import { readOnnx } from "./onnx_file.ts";
import { type Pair, pairNetworks } from "./pair.ts";
import { Prover } from "./prover.ts";
import { Refusal } from "./refusal.ts";

/** The bytes of the two model files. */
export interface ModelFiles {
  readonly original: Uint8Array;
  readonly quantized: Uint8Array;
}

/** What was checked. */
export interface CheckReport {
  readonly certificate: Certificate;
  /** Parts that were bounded. */
  readonly parts: number;
}

/** How checking is followed. */
export interface CheckOptions {
  /** Called after each part with how many are done, and how many there are. */
  readonly progress?: (done: number, total: number) => void;
}

/**
 * Checks a certificate.
 *
 * @throws {Refusal} If it is malformed, speaks of other models, uses what this checker does not support, does not cover
 *   its boxes, or claims what cannot be derived: the message says which.
 */
export function checkCertificate(
  text: string,
  models: ModelFiles,
  { progress }: CheckOptions = {},
): CheckReport {
  const certificate = readCertificate(text);
  for (const side of ["original", "quantized"] as const) {
    const digest = createHash("sha256").update(models[side]).digest("hex");
    if (digest !== certificate.models[side]) {
      throw new Refusal(
        `The certificate speaks of another ${side} model: ${
          certificate.models[side]
        } is not ${digest}`,
        `It is of the models that the stage was given: behind prepare, the original is what that made. Without --${side}, ` +
          "the model is looked up beside the certificate and in the store",
      );
    }
  }
  const prover = new Prover(pairModels(models), certificate.semantics);
  const total = certificate.boxes.reduce(
    (sum, { tree }) => sum + tree.filter((node) => typeof node === "number").length,
    0,
  );
  let parts = 0;
  for (const box of certificate.boxes) {
    checkBox(box, prover, () => progress?.(++parts, total));
  }
  return { certificate, parts: total };
}

/** Reads and pairs the models. */
export function pairModels({ original, quantized }: ModelFiles): Pair {
  const read = (bytes: Uint8Array) => new NetworkReader(readOnnx(bytes)).read();
  return pairNetworks(read(original), read(quantized));
}

function checkBox(box: CertifiedBox, prover: Prover, done: () => void): void {
  const { name, difference, tree } = box;
  if (box.lower.length !== prover.inputs || difference.lower.length !== prover.outputs) {
    throw new Refusal(`Box "${name}" does not have the sizes of the models' input and output`);
  }
  // Parts that wait, the next one last. Cutting a box in two covers it, so the leaves cover it if nothing is left over.
  const waiting = [{ lower: Float64Array.from(box.lower), upper: Float64Array.from(box.upper) }];
  for (const node of tree) {
    const part = waiting.pop();
    if (part === undefined) throw new Refusal(`The tree of box "${name}" goes on after its end`);
    const { lower, upper } = part;
    if (typeof node === "number") {
      checkPart(box, prover, lower, upper, node === 1);
      done();
      continue;
    }
    const [side, at] = node;
    if (!(side >= 0 && side < lower.length && lower[side]! <= at && at <= upper[side]!)) {
      throw new Refusal(
        `The tree of box "${name}" cuts side ${side} at ${at}, outside of the part`,
      );
    }
    const [low, high] = [upper.slice(), lower.slice()];
    low[side] = at;
    high[side] = at;
    waiting.push({ lower: high, upper }, { lower, upper: low });
  }
  if (waiting.length > 0) {
    throw new Refusal(`The tree of box "${name}" leaves ${waiting.length} parts of it out`);
  }
}

function checkPart(
  { name, difference }: CertifiedBox,
  prover: Prover,
  lower: Float64Array,
  upper: Float64Array,
  differences: boolean,
): void {
  const found = prover.prove(lower, upper, { differences });
  for (let output = 0; output < found.lower.length; output++) {
    const [least, most] = [difference.lower[output]!, difference.upper[output]!];
    // Written so that a bound that is no number is refused.
    if (found.lower[output]! >= least && found.upper[output]! <= most) continue;
    throw new Refusal(
      `Box "${name}": output ${output} is claimed to be in ${least} … ${most} off, and only ` +
        `${found.lower[output]} … ${found.upper[output]} can be derived on a part of it`,
    );
  }
}

/**
 * Certificates of every kind: what they claim, how long it takes to find and to check them, and whether false ones are
 * refused.
 *
 *     deno run -A bench/certificates.ts
 *     deno run -A bench/certificates.ts --only ACAS --mutations 20 --seconds 60
 *
 * A certificate is found by a search for bounds, and by one for the parts that the checker needs; both count. Then it is
 * changed in ways that make it false: below a difference that was seen in the box, in its tree, to a box that has a larger
 * difference, to other models. Ends with code 1 if a certificate is not accepted, or a false one is.
 *
 * @module
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { Random } from "../src/base/random.ts";
import type { Certificate } from "../src/checker/certificate.ts";
import { checkCertificate, type ModelFiles } from "../src/checker/check.ts";
import { Refusal } from "../src/checker/refusal.ts";
import type { Model } from "../src/onnx/model.ts";
import { encodeModel } from "../src/onnx/write.ts";
import { Attacker } from "../src/verify/attack/attack.ts";
import type { Box } from "../src/verify/box.ts";
import { largestProven } from "../src/verify/bracket.ts";
import { certify, encodeCertificate } from "../src/verify/certificate/certify.ts";
import { evaluate } from "../src/verify/network/evaluate.ts";
import { pairModels } from "../src/verify/network/pair.ts";
import { Verifier } from "../src/verify/verify.ts";
import { CASES, type CertificateCase } from "./certificates/cases.ts";
import { mutations, type Outside, type Seen } from "./certificates/mutations.ts";

const { values: options } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    /** Of each kind, as many as can be checked in some seconds of the processor. */
    mutations: { type: "string", default: "60" },
    seconds: { type: "string", default: "10" },
  },
});

/** As the stage does: claims are a little more than what is proven, in as many parts. */
const SLACK = 2 ** -9;
const PARTS = { perBox: 4, least: 64 };

/** Seconds of the processor. */
function processor(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

interface Made {
  readonly text: string;
  readonly certificate: Certificate;
  readonly models: ModelFiles;
  readonly proven: number;
  readonly seconds: number;
}

async function made(
  { semantics, options }: CertificateCase,
  pair: readonly [original: Model, quantized: Model],
  boxes: readonly Box[],
): Promise<Made> {
  const began = processor();
  const network = pairModels(...pair);
  await using verifier = new Verifier(network, {
    method: "differential",
    split: true,
    semantics,
    ...options,
  });
  const models = { original: encodeModel(pair[0]), quantized: encodeModel(pair[1]) };
  let proven = 0;
  const requests = [];
  for (const [at, box] of boxes.entries()) {
    const result = await verifier.verify(box);
    proven = Math.max(proven, largestProven(result));
    const upper = Float64Array.from(result.outputs, (output) => output.proven * (1 + SLACK));
    const parts = options.split ? Math.max(PARTS.least, PARTS.perBox * result.boxes) : 1;
    const target = { lower: upper.map((value) => -value), upper };
    requests.push({ name: `box ${at}`, box, target, parts });
  }
  const { certificate } = await certify(models, requests, { semantics });
  const text = new TextDecoder().decode(encodeCertificate(certificate));
  return { text, certificate, models, proven, seconds: processor() - began };
}

/** Points of a box, and around it, with what the models differ by there. */
async function look(
  pair: readonly [original: Model, quantized: Model],
  { boxes }: Certificate,
): Promise<{ seen: Seen[]; outside: Outside[] }> {
  const network = pairModels(...pair);
  await using attacker = await Attacker.open(network);
  const random = Random.from(0, "points");
  const seen: Seen[] = [];
  const outside: Outside[] = [];
  for (const [at, { lower, upper, difference }] of boxes.entries()) {
    const box = { lower: Float64Array.from(lower), upper: Float64Array.from(upper) };
    const extremes = await attacker.attack(box, { restarts: 2 });
    seen.push({
      least: Float64Array.from(
        extremes,
        ({ lowest }, output) => evaluate(network, lowest.input).difference[output]!,
      ),
      most: Float64Array.from(
        extremes,
        ({ highest }, output) => evaluate(network, highest.input).difference[output]!,
      ),
    });
    for (let trial = 0; trial < 40; trial++) {
      const reach = 2 ** random.integer(6);
      const point = box.lower.map((from, side) => {
        const width = Math.max(box.upper[side]! - from, 1e-3);
        return from + width * (0.5 + reach * (random.uniform() - 0.5));
      });
      const beyond = evaluate(network, point).difference.some((value, output) =>
        value > difference.upper[output]! + 1e-9 || value < difference.lower[output]! - 1e-9
      );
      if (beyond) outside.push({ box: at, point });
    }
  }
  return { seen, outside };
}

let failed = 0, total = 0, refused = 0;
console.log(
  "| certificate | semantics | proven | claimed | parts | to find | to check | false ones refused |",
);
console.log("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |");
for (const each of CASES) {
  if (!each.name.includes(options.only)) continue;
  const pair = await each.models();
  const { text, certificate, models, proven, seconds } = await made(each, pair, await each.boxes());
  const began = processor();
  const { parts } = checkCertificate(text, models);
  const checked = processor() - began;
  const claims = Math.max(
    ...certificate.boxes.flatMap(({ difference: { lower, upper } }) => [
      ...upper,
      ...lower.map((value) => -value),
    ]),
  );
  const { seen, outside } = await look(pair, certificate);
  const random = Random.from(1, each.name);
  let [tried, caught] = [0, 0];
  for (const [name, mutation] of Object.entries(mutations(seen, outside))) {
    const [most, until] = [Number(options.mutations), processor() + Number(options.seconds)];
    for (let trial = 0; trial < most && processor() < until; trial++) {
      const other = mutation(certificate, random);
      if (other === undefined) break;
      tried++;
      try {
        checkCertificate(JSON.stringify(other), models);
        console.log(`ACCEPTED although ${name}: ${each.name}`);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        caught++;
      }
    }
  }
  [total, refused, failed] = [total + tried, refused + caught, failed + tried - caught];
  console.log(
    `| ${each.name} | ${each.semantics} | ${proven.toPrecision(4)} | ${claims.toPrecision(4)} | ` +
      `${parts} | ${seconds.toFixed(1)} s | ${checked.toFixed(1)} s | ${caught} of ${tried} |`,
  );
}
console.log(`${refused} of ${total} false certificates were refused`);
Deno.exit(failed === 0 ? 0 : 1);

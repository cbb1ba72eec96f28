/**
 * Looks for points beyond proven bounds: samples and attacks on the networks of ACAS Xu with weights of 8 bits.
 *
 *     deno run -A bench/soundness.ts --networks 3 --samples 100000 --attacks 5
 *
 * Ends with code 1 if there is one.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { Random } from "../src/base/random.ts";
import { cloneModel } from "../src/onnx/edit.ts";
import type { Model } from "../src/onnx/model.ts";
import { readModel } from "../src/onnx/read.ts";
import { float32 } from "../src/onnx/tensor.ts";
import { Attacker } from "../src/verify/attack/attack.ts";
import { domainInput } from "../src/verify/domain/input.ts";
import { vnnlibDomain } from "../src/verify/domain/domains.ts";
import { pairModels } from "../src/verify/network/pair.ts";
import { Expander } from "../src/verify/split/expand.ts";
import { Verifier } from "../src/verify/verify.ts";

const { values: options } = parseArgs({
  options: {
    data: { type: "string", default: "../shared/data/verify/acasxu" },
    networks: { type: "string", default: "3" },
    samples: { type: "string", default: "100000" },
    attacks: { type: "string", default: "5" },
  },
});

/** Every matrix rounded to 8 bits with one scale. */
function rounded(model: Model): Model {
  const copy = cloneModel(model);
  for (const [name, { type, dims, data }] of copy.graph.initializers) {
    if (type !== "float32" || dims.length !== 2) continue;
    const weights = data as Float32Array;
    const scale = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0) / 127;
    copy.graph.initializers.set(
      name,
      float32(dims, weights.map((weight) => Math.round(weight / scale) * scale)),
    );
  }
  return copy;
}

/** Float64 evaluation of these networks is off by less than this. */
const EVALUATION = 1e-12;
const BATCH = 10_000;

let [points, attacks, violations, closest] = [0, 0, 0, 0];
const names = [...Deno.readDirSync(options.data)].map(({ name }) => name)
  .filter((name) => name.endsWith(".onnx")).sort().slice(0, Number(options.networks));
for (const name of names) {
  const model = await readModel(`${options.data}/${name}`);
  const network = pairModels(model, rounded(model));
  await using expander = new Expander(network, { semantics: "real", rows: "values" });
  await using attacker = await Attacker.open(network);
  await using verifier = new Verifier(network, { method: "differential", split: true, boxes: 512 });
  for (const property of [1, 3, 4]) {
    const path = `${options.data}/prop_${property}.vnnlib`;
    const [domain] = vnnlibDomain(domainInput(model), Deno.readTextFileSync(path), path);
    const { box } = domain!;
    const { outputs } = await verifier.verify(box);
    const look = (differences: ArrayLike<number>) => {
      for (let at = 0; at < differences.length; at++) {
        const { lower, upper } = outputs[at % outputs.length]!;
        const value = differences[at]!;
        if (!(value >= lower - EVALUATION && value <= upper + EVALUATION)) violations++;
        closest = Math.max(closest, value / upper, value / lower);
      }
    };
    const difference = async (batch: Float64Array) => look(await expander.differences(batch));
    const random = Random.from(property, name);
    for (let done = 0; done < Number(options.samples); done += BATCH) {
      await difference(Float64Array.from({ length: BATCH * box.lower.length }, (_, at) => {
        const [from, to] = [
          box.lower[at % box.lower.length]!,
          box.upper[at % box.lower.length]!,
        ];
        return Math.min(from + random.uniform() * (to - from), to);
      }));
      points += BATCH;
    }
    for (let seed = 0; seed < Number(options.attacks); seed++) {
      for (const { highest, lowest } of await attacker.attack(box, { seed })) {
        await difference(Float64Array.from([...highest.input, ...lowest.input]));
      }
      attacks += 2 * outputs.length;
    }
  }
}
console.log(`${names.length} networks, ${points} points, ${attacks} attacks`);
console.log(`${violations} beyond their bounds; the nearest is at ${(100 * closest).toFixed(1)} %`);
Deno.exit(violations === 0 ? 0 : 1);

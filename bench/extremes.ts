/**
 * Looks for points beyond bounds of small networks that are made for mistakes to show: neurons that are always 0 or the same,
 * weights and scales from next to nothing to huge, boxes without width or next to 0, grids whose ends and ties are in reach.
 *
 *     deno run -A bench/extremes.ts --from 0 --to 1000
 *
 * Every method and the checker bound both arithmetics. Points are evaluated without any rounding, and for every third
 * network by ONNX Runtime, without optimizations and with all of them. Ends with code 1 if anything is beyond its bounds.
 *
 * @module
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { Random } from "../src/base/random.ts";
import { pairModels as pairFiles } from "../src/checker/check.ts";
import { Prover } from "../src/checker/prover.ts";
import { Refusal } from "../src/checker/refusal.ts";
import type { Semantics } from "../src/checker/rounding.ts";
import type { Model } from "../src/onnx/model.ts";
import { encodeModel } from "../src/onnx/write.ts";
import { ExecutedPair } from "../src/verify/attack/executed.ts";
import type { Box } from "../src/verify/box.ts";
import type { PairedNetwork } from "../src/verify/network/network.ts";
import { pairModels } from "../src/verify/network/pair.ts";
import { METHODS, Verifier, type VerifyOptions } from "../src/verify/verify.ts";
import { zonotopeBounds } from "../src/verify/zonotope/propagate.ts";
import { boxOf, modelsOf, pick } from "./extremes/models.ts";
import { pointsOf } from "./extremes/points.ts";
import { exactDifference } from "./soundness/exact.ts";
import { type Bounds, Tally } from "./soundness/tally.ts";

const { values: options } = parseArgs({
  options: { from: { type: "string", default: "0" }, to: { type: "string", default: "1000" } },
});

/** Networks for each that is executed. */
const EXECUTED = 3;
const MOST_INPUTS = 4;
const BOXES = 24;

type Named = Bounds & { readonly name: string };

async function* boundsOf(
  models: readonly [Model, Model],
  network: PairedNetwork,
  box: Box,
  semantics: Semantics,
  random: Random,
): AsyncGenerator<Named> {
  const verified = async (name: string, how: Partial<VerifyOptions>): Promise<Named> => {
    const options = {
      method: "differential",
      split: false,
      semantics,
      boxes: BOXES,
      ...how,
    } as const;
    await using verifier = new Verifier(network, options);
    const { outputs } = await verifier.verify(box);
    return {
      name,
      lower: Float64Array.from(outputs, ({ lower }) => lower),
      upper: Float64Array.from(outputs, ({ upper }) => upper),
    };
  };
  for (const method of METHODS) yield await verified(method, { method });
  const ratio = pick(random, [1.0001, 1.1]);
  const bracket = await verified("a bracket by splitting", { split: true, ratio });
  yield bracket;
  // Proofs cut boxes into cells.
  const proven = Math.max(...bracket.upper, ...bracket.lower.map((lower) => -lower));
  const target = proven * (0.5 + 0.5 * random.uniform());
  if (target < Infinity) yield await verified("a proof by splitting", { split: true, target });
  const ends = zonotopeBounds(network, box, semantics);
  yield {
    name: "zonotope",
    lower: Float64Array.from(ends, ({ lower }) => lower),
    upper: Float64Array.from(ends, ({ upper }) => upper),
  };
  try {
    const files = { original: encodeModel(models[0]), quantized: encodeModel(models[1]) };
    const prover = new Prover(pairFiles(files), semantics);
    for (const differences of [false, true]) {
      const found = prover.prove(box.lower, box.upper, { differences });
      yield { name: `checker${differences ? ", differences" : ""}`, ...found };
    }
  } catch (error) {
    // Weights that are too large for float32.
    if (!(error instanceof Refusal)) throw error;
  }
}

const all = new Tally();
let [networks, bounds, finite] = [0, 0, 0];
for (let seed = Number(options.from); seed < Number(options.to); seed++, networks++) {
  const random = Random.from(seed, "extremes");
  const inputs = 1 + random.integer(MOST_INPUTS);
  const models = modelsOf(random, inputs);
  const network = pairModels(...models);
  const box = boxOf(random, inputs);
  const points = pointsOf(network, box, random);
  const exact = points.map((point) => exactDifference(network, point));
  const executed: Float64Array[] = [];
  if (seed % EXECUTED === 0) {
    for (const optimization of ["none", "all"] as const) {
      await using pair = await ExecutedPair.open(...models, { optimization });
      for (const point of points) executed.push(await pair.difference(point));
    }
  }
  all.points += executed.length;
  for (const semantics of ["real", "float32"] as const) {
    for await (const each of boundsOf(models, network, box, semantics, random)) {
      const what = `network ${seed}, ${semantics}, ${each.name}`;
      bounds++;
      if ([...each.lower, ...each.upper].every(Number.isFinite)) finite++;
      // What can be anything, such as a number that overflows, is within bounds that are not finite.
      else if (each.lower.includes(NaN) || each.upper.includes(NaN)) all.violated(what);
      else continue;
      for (const difference of exact) all.lookExactly(difference, each, what);
      if (semantics === "real") continue;
      for (const difference of executed) all.look(difference, each, 0, what);
    }
  }
}
for (const said of all.said) console.log(said);
const { user, system } = process.cpuUsage();
console.log(
  `${networks} networks, ${bounds} times bounded, ${finite} of them finite: ${all.exact} times points without rounding, ` +
    `${all.points} points executed, ${all.violations} beyond, in ${
      ((user + system) / 6e7).toFixed(1)
    } min of processor time`,
);
Deno.exit(all.violations === 0 ? 0 : 1);

/**
 * Looks for points beyond proven bounds: samples and attacks on the networks that verification is measured on, with
 * narrower weights and with rounded activations.
 *
 *     deno run -A bench/soundness.ts
 *     deno run -A bench/soundness.ts --share 0.01 --only mnist
 *
 * Each point is looked at three times: in float64, against bounds of exact arithmetic, and in float32 by ONNX Runtime
 * with its optimizations and without, against bounds of float32 arithmetic. Some of them are run through the two models
 * themselves. Boxes of a single point have to give what is executed there. Ends with code 1 if anything is beyond.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { Random } from "../src/base/random.ts";
import { openSession } from "../src/engine/session.ts";
import type { Model } from "../src/onnx/model.ts";
import { float32 } from "../src/onnx/tensor.ts";
import { Attacker } from "../src/verify/attack/attack.ts";
import { ExecutedPair } from "../src/verify/attack/executed.ts";
import { snapToFloat32 } from "../src/verify/attack/extremes.ts";
import { differenceGraph } from "../src/verify/attack/forward_graph.ts";
import { type Box, box } from "../src/verify/box.ts";
import type { OutputBracket } from "../src/verify/bracket.ts";
import { evaluate } from "../src/verify/network/evaluate.ts";
import { pairModels } from "../src/verify/network/pair.ts";
import { Expander } from "../src/verify/split/expand.ts";
import { Verifier } from "../src/verify/verify.ts";
import {
  acasBox,
  acasNetworks,
  type Narrowed,
  narrowedModel,
  network,
  property,
} from "./verify/pairs.ts";
import { roundedActivations } from "./verify/rounded.ts";

const { values: options } = parseArgs({
  options: {
    share: { type: "string", default: "1" },
    only: { type: "string", default: "" },
  },
});
const share = Number(options.share);

/** A pair of models on a box, and how many points to look at. */
interface Case {
  readonly name: string;
  readonly models: () => Promise<readonly [Model, Model]>;
  readonly box: () => Promise<Box>;
  readonly points: number;
  readonly attacks: number;
}

const WEIGHTS: readonly Narrowed[] = ["half", "int8 tensor"];

function* cases(): Generator<Case> {
  for (const number of [1, 3, 4]) {
    for (const [at, name] of acasNetworks(number).entries()) {
      const how = WEIGHTS[at % 2]!;
      const model = () => network(`acasxu/ACASXU_run2a_${name}.onnx`);
      const facts = { box: () => Promise.resolve(acasBox(number)), points: 60_000, attacks: 80 };
      yield {
        name: `acas p${number} ${name} ${how}`,
        ...facts,
        models: async () => [await model(), narrowedModel(await model(), how)],
      };
      if (at % 3 > 0) continue;
      yield {
        name: `acas p${number} ${name} int8 weights, 8-bit activations`,
        ...facts,
        models: async () => {
          const original = await model();
          const weights = narrowedModel(original, "int8 tensor");
          return [original, roundedActivations(weights, acasBox(number))];
        },
      };
    }
  }
  for (const { name, path, boxes } of IMAGES) {
    for (const file of boxes) {
      for (const rounds of [false, true]) {
        yield {
          name: `${name} ${file}${rounds ? ", 8-bit activations" : ""}`,
          box: () => property(file),
          points: 20_000,
          attacks: 80,
          models: async () => {
            const original = await network(path);
            const weights = narrowedModel(original, "int8 channel");
            return [original, rounds ? roundedActivations(weights, await property(file)) : weights];
          },
        };
      }
    }
  }
}

const IMAGES = [
  {
    name: "mnist 256×2",
    path: "mnistfc/mnist-net_256x2.onnx",
    boxes: ["mnistfc/prop_0_0.03.vnnlib", "mnistfc/prop_1_0.05.vnnlib"],
  },
  {
    name: "mnist 256×4",
    path: "mnistfc/mnist-net_256x4.onnx",
    boxes: ["mnistfc/prop_0_0.03.vnnlib", "mnistfc/prop_2_0.03.vnnlib"],
  },
  {
    name: "cifar conv",
    path: "conv/cifar_base_kw.onnx",
    boxes: ["conv/cifar_base_kw-img1697-eps0.0014379084967320263.vnnlib"],
  },
];

/** Float64 evaluation of these networks is off by less than this. */
const EVALUATION = 1e-10;
/** And relative to the outputs by less than this. */
const ROUNDING = 1e-12;
/** Points that are computed side by side. */
const BATCH_ELEMENTS = 20_000;
/** Points of each case that the models themselves are run on, and boxes of one point. */
const EXECUTED = 20;
const SINGLE = 3;

class Tally {
  points = 0;
  attacks = 0;
  executed = 0;
  single = 0;
  violations = 0;
  closest = 0;

  /** Counts what is beyond the brackets, one an output again and again. */
  look(differences: ArrayLike<number>, brackets: readonly OutputBracket[], slack: number): void {
    for (let at = 0; at < differences.length; at++) {
      const { lower, upper } = brackets[at % brackets.length]!;
      const value = differences[at]!;
      if (!(value >= lower - slack && value <= upper + slack)) this.violations++;
      this.closest = Math.max(this.closest, value > 0 ? value / upper : value / lower);
    }
  }
}

async function examine({ models, box: boxOf, points, attacks }: Case, tally: Tally): Promise<void> {
  const [original, quantized] = await models();
  const network = pairModels(original, quantized);
  const whole = await boxOf();
  const bounds = async (box: Box, semantics: "real" | "float32") => {
    const options = { method: "differential", split: true, boxes: 64, ratio: 1.05 } as const;
    await using verifier = new Verifier(network, { ...options, semantics });
    return (await verifier.verify(box)).outputs;
  };
  const [exact, rounded] = [await bounds(whole, "real"), await bounds(whole, "float32")];
  const { size } = network.input;
  const outputs = exact.length;
  const batch = Math.max(1, Math.floor(BATCH_ELEMENTS / size));
  await using expander = new Expander(network, { semantics: "real", rows: "values" });
  await using attacker = await Attacker.open(network);
  const graph = differenceGraph(network, batch);
  await using plain = await openSession(graph, { optimization: "none" });
  await using optimized = await openSession(graph);
  const weights = float32([batch, outputs], new Float32Array(batch * outputs));
  const random = Random.from(0, "soundness");
  const sample = () =>
    snapToFloat32(
      whole.lower.map((from, at) => {
        const to = whole.upper[at]!;
        return Math.min(from + random.uniform() * (to - from), to);
      }),
      whole,
    );
  for (let done = 0; done < points * share; done += batch) {
    const flat = new Float64Array(batch * size);
    for (let at = 0; at < batch; at++) flat.set(sample(), at * size);
    tally.look(await expander.differences(flat), exact, EVALUATION);
    const feed = { points: float32([batch, size], flat), weights };
    for (const session of [plain, optimized]) {
      const { difference } = await session.run(feed, ["difference"]);
      tally.look(difference!.data as Float32Array, rounded, 0);
    }
    tally.points += batch;
  }
  // Every output in both directions, from two points each.
  const ascents = 4 * outputs;
  const candidates = Array.from({ length: EXECUTED }, sample);
  for (let seed = 0; seed * ascents < attacks * share; seed++) {
    const found = await attacker.attack(whole, { seed, restarts: 2 });
    for (const { highest, lowest } of found) candidates.push(highest.input, lowest.input);
    tally.attacks += ascents;
  }
  const pairs = [
    await ExecutedPair.open(original, quantized, { optimization: "none" }),
    await ExecutedPair.open(original, quantized),
  ];
  for (const point of candidates) {
    tally.look(await expander.differences(point), exact, EVALUATION);
    for (const pair of pairs) tally.look(await pair.difference(point), rounded, 0);
    tally.executed++;
  }
  for (const point of candidates.slice(0, SINGLE)) {
    const { original: own, quantized: other, difference } = evaluate(network, point);
    const size = Math.max(...own.map(Math.abs), ...other.map(Math.abs));
    const single = box(point, point);
    const [here, there] = [await bounds(single, "real"), await bounds(single, "float32")];
    // The bounds of a point can be narrower than float64 evaluation is exact.
    tally.look(difference, here, ROUNDING * size);
    for (const pair of pairs) tally.look(await pair.difference(point), there, 0);
    // As narrow as float64 arithmetic allows, unless a value lies on the border between two levels.
    const wide = here.filter(({ lower, upper }) => !(upper - lower < 1e-7));
    tally.violations += wide.length;
    tally.single++;
  }
  for (const pair of pairs) await pair[Symbol.asyncDispose]();
}

const tally = new Tally();
let count = 0;
const began = performance.now();
for (const each of cases()) {
  if (!each.name.includes(options.only)) continue;
  const before = tally.violations;
  await examine(each, tally);
  count++;
  const minutes = ((performance.now() - began) / 60_000).toFixed(1);
  console.log(
    `${each.name}: ${tally.violations - before} beyond; ${tally.points} points, ` +
      `${tally.attacks} attacks so far, ${minutes} min`,
  );
}
console.log(
  `${count} pairs: ${tally.points} points, ${tally.attacks} attacks, ${tally.executed} points run ` +
    `through the models, ${tally.single} boxes of one point`,
);
console.log(
  `${tally.violations} beyond their bounds; the nearest is at ${
    (100 * tally.closest).toFixed(1)
  } %`,
);
Deno.exit(tally.violations === 0 ? 0 : 1);

/**
 * How well the sums of a sensitivity table predict: random widths of all layers of ResNet-20, measured and predicted,
 * with the joint losses of blocks and without.
 *
 *     deno run --allow-read --allow-write --allow-ffi --allow-env bench/prediction.ts TABLE [COUNT]
 *
 * TABLE is the sensitivity table that bench/accuracy/mixed-precision-resnet20.yaml makes.
 *
 * @module
 */

import { Random } from "../src/base/random.ts";
import { describeDataset, openDataset } from "../src/data/recipe.ts";
import { readModel } from "../src/onnx/read.ts";
import { fillDefaults } from "../src/registry/defaults.ts";
import type { Schema } from "../src/registry/schema.ts";
import { Evaluator } from "../src/search/evaluator.ts";
import { createProblem } from "../src/search/problem.ts";
import type { SensitivityTable } from "../src/search/table.ts";
import { digestFile } from "../src/store/digest.ts";
import { parameters as prepareParameters } from "../src/stages/prepare/ports.ts";
import { prepareModel } from "../src/stages/prepare/run.ts";
import { Items } from "../src/search/trial/items.ts";
import { findLayers, narrow } from "../src/search/trial/layers.ts";
import { outputLoss, withWeights } from "../src/search/trial/loss.ts";
import { parameters } from "../src/stages/sensitivity/ports.ts";
import { context } from "../tests/stages/stage_fixture.ts";
import { sharedData } from "../tests/shared_data.ts";

const [path, count = "30"] = Deno.args;
const table: SensitivityTable = JSON.parse(await Deno.readTextFile(path!));
const complete = <T>(schema: { static: T }, given: object): T =>
  fillDefaults(schema as unknown as Schema, given as never) as T;

const { model } = await prepareModel(
  await readModel(sharedData("models/cifar10_resnet20.onnx")!),
  complete(prepareParameters, {}),
);
const layered = findLayers(model, []);
const { recipe, files } = await describeDataset({
  cifar: sharedData("cifar10/train_4000.bin")!,
  take: 256,
  preprocess: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
}, { baseDir: ".", digestFile: async (path) => (await digestFile(path)).digest });
const dataset = await openDataset(recipe, (digest) => files.get(digest)!);
const own = context();
const given = complete(parameters, { weights: { symmetric: false } });
await using items = await Items.open(
  { value: layered.model, origin: "prepare.model" },
  { value: dataset, origin: "cifar" },
  { batch: given.batch, threads: own.threads, memory: own.memory },
);

for (const widths of [[2, 4, 8], [3, 4, 6, 8]]) {
  const joint = new Evaluator(createProblem(table, { widths, costs: [] }));
  const single = new Evaluator(createProblem({ ...table, blocks: [] }, { widths, costs: [] }));
  const random = Random.from(1, `bench/prediction/${widths}`);
  const measured: number[] = [];
  const predicted: number[][] = [[], []];
  for (let index = 0; index < Number(count); index++) {
    const genome = Uint8Array.from(layered.layers, () => random.integer(widths.length));
    const weights = new Map(
      layered.layers.map((layer, at) => [
        layer.first.weight,
        narrow(layer, widths[genome[at]!]!, given.weights, 0).weights,
      ]),
    );
    measured.push(
      await outputLoss(
        withWeights(layered.model, weights),
        items,
        { measure: "kl", scores: "logits" },
        own,
      ),
    );
    predicted[0]!.push(joint.loss(genome));
    predicted[1]!.push(single.loss(genome));
  }
  const [withJoint, without] = predicted.map((each) => spearman(each, measured).toFixed(3));
  console.log(
    `widths ${widths}: Spearman ${withJoint} with joint losses, ${without} without; measured ` +
      `${Math.min(...measured).toFixed(3)} to ${Math.max(...measured).toFixed(3)}`,
  );
}

function spearman(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [ranks(a), ranks(b)];
  const n = a.length;
  const sum = x.reduce((all, rank, index) => all + (rank - y[index]!) ** 2, 0);
  return 1 - 6 * sum / (n * (n * n - 1));
}

function ranks(values: readonly number[]): number[] {
  const order = [...values.keys()].sort((a, b) => values[a]! - values[b]!);
  const rank = new Array<number>(values.length);
  order.forEach((index, place) => rank[index] = place);
  return rank;
}

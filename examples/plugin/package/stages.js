/**
 * Two stages: one adds noise to the weights of a model, one says how far the weights of two models are apart.
 *
 * A package cannot import Bitbound, so what it exports is a function that is given Bitbound's API.
 */

import { rootMeanSquare, weightsOf } from "./statistics.js";

/** @param {import("@bitbound/bitbound")} bitbound */
export default function stages({ defineStage, float32, Random, Type, UserError }) {
  const addNoise = defineStage({
    name: "add-noise",
    version: 1,
    summary: "Add normal noise to the weights of a model",
    description:
      "The noise of each tensor is as large as a share of the tensor's root mean square.",
    parameters: Type.Object({
      share: Type.Number({
        default: 0.01,
        minimum: 0,
        description: "Standard deviation of the noise over the root mean square of the weights.",
      }),
      shape: Type.Union([Type.Literal("normal"), Type.Literal("uniform")], {
        default: "normal",
        description: "How the noise is distributed.",
      }),
    }),
    inputs: { model: { kinds: ["model"], description: "A float model." } },
    outputs: { model: { kind: "model", description: "The model with noise." } },
    metrics: {
      tensors: { title: "tensors", description: "Tensors that got noise.", unit: "count" },
    },
    engine: false,
    async run({ share, shape }, inputs, context) {
      const model = await inputs.model.load();
      const weights = [...weightsOf(model)];
      if (weights.length === 0) {
        throw new UserError({
          message: `Model "${inputs.model.origin}" has no weights in float32`,
          hint: "Name a float model with in: { model: … }",
        });
      }
      for (const [index, [name, { dims, data }]] of weights.entries()) {
        context.progress({
          phase: "adding noise",
          done: index,
          total: weights.length,
          unit: "tensors",
        });
        // One sequence for each tensor: what another one takes does not matter.
        const random = Random.from(context.seed, `add-noise ${name}`);
        const draw = shape === "normal"
          ? () => random.normal()
          : () => Math.sqrt(12) * (random.uniform() - 0.5);
        const size = share * rootMeanSquare(data);
        model.graph.initializers.set(
          name,
          float32(dims, data.map((weight) => weight + size * draw())),
        );
      }
      return { outputs: { model }, metrics: { tensors: weights.length } };
    },
  });

  const compareWeights = defineStage({
    name: "compare-weights",
    version: 1,
    summary: "Say how far the weights of two models are apart",
    description:
      "For each tensor that both have: the root mean square of the difference over that of the original.",
    parameters: Type.Object({}),
    inputs: {
      model: { kinds: ["model"], description: "The changed model." },
      original: { kinds: ["model"], description: "The model it was made from." },
    },
    outputs: { distances: { kind: "json", description: "The relative distance of each tensor." } },
    metrics: {
      distance: {
        title: "distance",
        description: "The largest relative distance of any tensor.",
        unit: "number",
        better: "lower",
        column: true,
      },
    },
    engine: false,
    async run(_parameters, inputs) {
      const [model, original] = [await inputs.model.load(), await inputs.original.load()];
      const distances = {};
      for (const [name, { data }] of weightsOf(original)) {
        const changed = model.graph.initializers.get(name);
        if (changed?.data.length !== data.length) continue;
        const difference = data.map((weight, index) => weight - changed.data[index]);
        distances[name] = rootMeanSquare(difference) / rootMeanSquare(data);
      }
      return {
        outputs: { distances },
        metrics: { distance: Math.max(0, ...Object.values(distances)) },
      };
    },
  });

  return [addNoise, compareWeights];
}

import { defineStage, float32, Type } from "../../mod.ts";

/** Sets the smallest weights of a model to zero. */
export default defineStage({
  name: "prune",
  version: 1,
  summary: "Set the smallest weights to zero",
  description: "Magnitude pruning: in every weight tensor, the given share of the weights goes.",
  parameters: Type.Object({
    share: Type.Number({ default: 0.5, minimum: 0, maximum: 1, description: "Share of weights" }),
  }),
  inputs: { model: { kinds: ["model"], description: "A float model" } },
  outputs: { model: { kind: "model", description: "The pruned model" } },
  metrics: { zeros: { title: "zeros", description: "Weights that are zero", unit: "fraction" } },
  engine: false,
  async run({ share }, inputs) {
    const model = await inputs.model.load();
    let [zeros, count] = [0, 0];
    for (const [name, { type, dims, data }] of model.graph.initializers) {
      if (type !== "float32" || dims.length < 2) continue;
      const weights = data as Float32Array;
      const limit = weights.map(Math.abs).sort()[Math.floor(share * weights.length)] ?? Infinity;
      const kept = weights.map((weight) => Math.abs(weight) < limit ? 0 : weight);
      model.graph.initializers.set(name, float32(dims, kept));
      zeros += kept.filter((weight) => weight === 0).length;
      count += kept.length;
    }
    return { outputs: { model }, metrics: { zeros: zeros / count } };
  },
});

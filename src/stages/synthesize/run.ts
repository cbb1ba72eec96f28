/**
 * The work of the stage `synthesize`.
 *
 * @module
 */

import { Random } from "../../base/random.ts";
import { UserError } from "../../base/errors.ts";
import { withoutGradient } from "../../engine/autodiff/no_rule.ts";
import { encodeRecipe } from "../../data/recipe.ts";
import { arraysRecipe } from "../../data/recipe_of_arrays.ts";
import { encodeNpz } from "../../data/formats/npz_write.ts";
import type { Model } from "../../onnx/model.ts";
import { elementCount, float32, type Tensor, tensor } from "../../onnx/tensor.ts";
import { upgradeOpset } from "../../onnx/upgrade.ts";
import { batchNormStatistics, WITHOUT_STATISTICS } from "../../quant/distributions/batch_norm.ts";
import { noiseItem } from "../../quant/synthesis/noise.ts";
import { type Synthesis, synthesizeImages } from "../../quant/synthesis/synthesize.ts";
import type { StageContext, StageRun } from "../../registry/stage.ts";
import { digestOf } from "../../store/digest.ts";
import type { inputs, outputs, Parameters, parameters } from "./ports.ts";
import { contactSheet } from "./sheet.ts";

/** Steps a batch unless given. */
const STEPS = { "generator": 150, "bn-statistics": 250 } as const;
/** The operator set in which reductions take their axes as an input. */
const OPSET = 21;

export const run: StageRun<typeof parameters, typeof inputs, typeof outputs> = async (
  parameters,
  { model: artifact },
  context,
) => {
  const started = performance.now();
  const given = await artifact.load();
  const model = (given.opsets.get("") ?? OPSET) < OPSET ? upgradeOpset(given, OPSET) : given;
  if (parameters.method !== "range") requireStatistics(model, artifact.origin);
  const { name, dims } = inputOf(model, parameters, artifact.origin);
  const { images, labels, matches } = parameters.method === "range"
    ? noise(dims, parameters, context)
    : await matched(model, dims, parameters, context, artifact.origin);
  const archive = encodeNpz({
    images,
    ...(labels && { labels: tensor("int32", [labels.length], labels) }),
  });
  const recipe = arraysRecipe(
    { input: name, array: "images", dims },
    digestOf(archive),
    labels && "labels",
  );
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    outputs: {
      calibration: encodeRecipe(recipe),
      images: archive,
      sheet: contactSheet(images, parameters.input_range),
      record: { batch_norms: matches.map((match) => ({ ...match })) },
    },
    metrics: {
      images: parameters.images,
      batch_norms: matches.length,
      ...(matches.length > 0 && {
        matching_loss: mean(matches.map(({ loss }) => loss)),
        worst_matching_loss: Math.max(...matches.map(({ loss }) => loss)),
        noise_matching_loss: mean(matches.map(({ noise }) => noise)),
      }),
      seconds: (performance.now() - started) / 1000,
    },
  };
};

/** @throws {UserError} If nothing tells what a model's activations should be. */
function requireStatistics(model: Model, origin: string): void {
  if (batchNormStatistics(model).size > 0) return;
  throw new UserError({
    message: `Images cannot be made from the model "${origin}": nothing in it tells what its ` +
      "activations were in training",
    hint: `${WITHOUT_STATISTICS}. Else say method: range, or calibrate with real data`,
  });
}

/**
 * The input that images are made for, and the shape of one.
 *
 * @throws {UserError} If there are several inputs, or it does not take images of a known size.
 */
function inputOf(
  { graph }: Model,
  { method }: Parameters,
  origin: string,
): { name: string; dims: number[] } {
  const inputs = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
  const [input] = inputs;
  if (inputs.length !== 1 || input === undefined) {
    throw new UserError({
      message: `Images can be made for one input: the model "${origin}" has ${inputs.length}, ${
        inputs.map(({ name }) => `"${name}"`).join(", ")
      }`,
      hint: "Give a data set of random numbers for all of them: synthetic, under inputs:",
    });
  }
  const { name, type } = input;
  const dims = input.dims?.slice(1) ?? [];
  const shape = `[${input.dims?.map((dim) => dim ?? "?").join(", ") ?? "?"}]`;
  if (type !== "float32" || dims.length === 0 || !dims.every((dim) => typeof dim === "number")) {
    throw new UserError({
      message:
        `Items for input "${name}" of the model "${origin}" cannot be made: it takes ${type} ` +
        `of shape ${shape}`,
      hint: 'Items are made of float32 numbers in a known shape: say shape at the stage "prepare"',
    });
  }
  if (method !== "range" && typeof input.dims![0] === "number") {
    throw new UserError({
      message:
        `The model "${origin}" takes exactly ${input.dims![0]} items at a time: images are ` +
        "made in batches",
      hint: 'Say batch: dynamic at the stage "prepare"',
    });
  }
  if (method === "generator" && dims.length !== 3) {
    throw new UserError({
      message: `A generator makes images [channels, height, width]: input "${name}" of the model ` +
        `"${origin}" has the shape ${shape}`,
      hint: "Say method: bn-statistics or method: range",
    });
  }
  return { name, dims: dims as number[] };
}

/** Images that match the statistics of batch normalization. */
async function matched(
  model: Model,
  dims: readonly number[],
  parameters: Parameters,
  context: StageContext,
  origin: string,
): Promise<Synthesis> {
  const { method, input_range: range } = parameters;
  if (method === "range") throw new TypeError("Method range matches nothing");
  const { steps = STEPS[method] } = parameters;
  return await synthesizeImages(model, dims, {
    method: method === "generator" ? "generator" : "pixels",
    images: parameters.images,
    batch: parameters.batch,
    steps,
    rate: parameters.rate,
    generatorRate: parameters.generator_rate,
    latent: parameters.latent,
    width: parameters.width,
    swing: parameters.swing,
    classWeight: parameters.class_weight,
    ...(range && { range }),
    seed: context.seed,
    threads: parameters.threads,
  }, {
    signal: context.signal,
    store: context.checkpoints,
    progress: (done, total, loss) =>
      context.progress({ phase: "making images", done, total, unit: "steps", values: { loss } }),
  }).catch((error) => {
    throw withoutGradient(
      error,
      `Images cannot be made from the model "${origin}"`,
      "Say method: range, or calibrate with real data",
    );
  });
}

/** Images of which nothing is known but their range. */
function noise(
  dims: readonly number[],
  { images: count, input_range: range }: Parameters,
  { seed, signal, warn }: StageContext,
): Synthesis {
  warn(
    "These images are noise of which the model knows nothing: activations on it may be far from those on real data. " +
      "Check the result on real data before it is used",
  );
  const size = elementCount(dims);
  const images: Tensor<"float32"> = float32([count, ...dims], new Float32Array(count * size));
  for (let index = 0; index < count; index++) {
    signal.throwIfAborted();
    const random = Random.from(seed, `synthesize/noise ${index}`);
    images.data.set(noiseItem(dims, range!, random), index * size);
  }
  return { images, labels: undefined, matches: [] };
}

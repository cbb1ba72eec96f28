/**
 * The work of the stage `export`.
 *
 * @module
 */

import type { JsonValue } from "../../base/canonical_json.ts";
import { UserError } from "../../base/errors.ts";
import { checkDeployment, type Deployment } from "../../engine/deployment.ts";
import type { Model } from "../../onnx/model.ts";
import { externalFiles } from "../../onnx/read.ts";
import { encodeModel } from "../../onnx/write.ts";
import type { Evaluation } from "../../quant/evaluation.ts";
import type { Artifact } from "../../registry/artifact.ts";
import type { StageContext, StageRun } from "../../registry/stage.ts";
import { checkFeeds } from "./feeds.ts";
import type { inputs, outputs, parameters } from "./ports.ts";
import { readmeOf } from "./readme.ts";
import { summarize } from "./summary.ts";

export const run: StageRun<typeof parameters, typeof inputs, typeof outputs> = async (
  { name, allow_options: allowOptions },
  { model: artifact, evaluation, test },
  context,
) => {
  const model = await artifact.load();
  context.progress({ phase: "checking the model", done: 0, total: 1, unit: "models" });
  const feeds = await checkFeeds(artifact, model, test, context.seed);
  const deployment = await checkDeployment(artifact.path, feeds);
  if (deployment.failure !== undefined) refuseOrWarn(deployment, allowOptions, artifact, context);
  const bytes = await wholeFile(artifact, model);
  const summary = summarize({
    file: `${name}.onnx`,
    bytes,
    model,
    evaluation: await evaluationOf(artifact, evaluation, context),
    deployment,
  });
  return {
    outputs: {
      model: bytes,
      // A plain object of JSON values, which an interface type does not say.
      summary: summary as unknown as JsonValue,
      readme: new TextEncoder().encode(readmeOf(summary)),
    },
    metrics: {
      file_bytes: bytes.length,
      default_difference: deployment.difference,
      integer_nodes: deployment.integerNodes,
    },
  };
};

function refuseOrWarn(
  { failure, remedies }: Deployment,
  allowOptions: boolean,
  { origin }: Artifact,
  context: StageContext,
): void {
  const [remedy] = remedies;
  const message = `ONNX Runtime cannot run the model "${origin}" with its default options: ` +
    failure!.message;
  if (remedy === undefined) throw new UserError({ ...failure, message });
  const setting = `${remedy.name}=${remedy.value}`;
  if (!allowOptions) {
    throw new UserError({
      message,
      hint:
        `It runs with the session option ${setting}: say allow_options: true to export it for that, or quantize ` +
        "with encoding: container, which runs everywhere",
    });
  }
  context.warn(`${message}. It needs the session option ${setting}`);
}

/** The model's file; one that keeps tensors elsewhere is written anew. */
async function wholeFile({ path }: Artifact, model: Model): Promise<Uint8Array> {
  const bytes = await Deno.readFile(path);
  return externalFiles(bytes).length === 0 ? bytes : encodeModel(model);
}

async function evaluationOf(
  model: Artifact,
  evaluation: Artifact<"evaluation"> | undefined,
  context: StageContext,
): Promise<Evaluation | undefined> {
  const found = await evaluation?.load();
  if (found === undefined || found.subject.model === model.digest) return found;
  context.warn(
    `"${
      evaluation!.origin
    }" is about another model than "${model.origin}" and is left out: name the right one with ` +
      "in: { evaluation: STAGE.evaluation }",
  );
  return undefined;
}

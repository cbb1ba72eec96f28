/**
 * How the quantized models of a run are quantized, layer by layer.
 *
 * @module
 */

import { readLayers } from "../../quant/layer_readings.ts";
import { type ActivationReading, readQuantization } from "../../quant/qdq.ts";
import type { ReportModel } from "../document.ts";
import type { RunArtifacts } from "./artifacts.ts";

/** Reads every quantized model that a stage of the run made. */
export async function readModels(artifacts: RunArtifacts): Promise<ReportModel[]> {
  const models: ReportModel[] = [];
  for (const artifact of artifacts.made("quantized-model")) {
    const model = await artifacts.load(artifact, "quantized-model");
    if (model === undefined) continue;
    const reference = artifacts.origin(artifact, "model");
    const calibration = artifacts.origin(artifact, "ranges");
    const float = await artifacts.load(reference, "model");
    models.push({
      name: artifact.origin,
      digest: artifact.digest,
      ...(float !== undefined && { reference: reference!.origin }),
      ...(calibration !== undefined && { calibration: calibration.origin }),
      layers: readLayers(model, float).map((layer) => ({ ...layer, dims: [...layer.dims] })),
      activations: uniqueByValue(readQuantization(model).activations).map(activationOf),
    });
  }
  return models;
}

/** A value with several readers may have a pair of quantizers for each, all alike. */
function uniqueByValue(activations: readonly ActivationReading[]): ActivationReading[] {
  return [...new Map(activations.map((each) => [each.value, each])).values()];
}

function activationOf(
  { value, bits, parameters }: ActivationReading,
): ReportModel["activations"][number] {
  const scale = parameters?.scale[0];
  if (parameters === undefined || scale === undefined) return { value, bits };
  const zero = parameters.zeroPoint[0]!;
  const { qmin, qmax } = parameters.grid;
  return { value, bits, min: (qmin - zero) * scale, max: (qmax - zero) * scale, scale };
}

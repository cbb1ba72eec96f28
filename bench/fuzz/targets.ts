/**
 * What is fuzzed, by name.
 *
 * @module
 */

import type { Target } from "./fuzz.ts";
import { dataTarget, imageTarget } from "./targets/data.ts";
import { modelTarget } from "./targets/model.ts";
import { pipelineTarget } from "./targets/pipeline.ts";
import { provenanceTarget } from "./targets/provenance.ts";
import { remoteTarget } from "./targets/remote.ts";
import { recordsTarget, resultsTarget } from "./targets/store.ts";
import { vnnlibTarget } from "./targets/vnnlib.ts";

/** Each gets a folder of its own to write to. */
export const targets: Readonly<Record<string, (folder: string) => Promise<Target>>> = {
  pipelines: pipelineTarget,
  models: modelTarget,
  vnnlib: vnnlibTarget,
  data: dataTarget,
  images: imageTarget,
  results: resultsTarget,
  records: recordsTarget,
  remote: remoteTarget,
  provenance: provenanceTarget,
};

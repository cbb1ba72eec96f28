/**
 * Reads a whole report of a run from the store.
 *
 * @module
 */

import type { RunRecord, Store } from "../../store/store.ts";
import { type Report, REPORT_VERSION } from "../document.ts";
import { summarizeRun } from "../summary.ts";
import { RunArtifacts } from "./artifacts.ts";
import { readCalibrations } from "./calibrations.ts";
import {
  readFronts,
  readReconstructions,
  readSensitivities,
  readVerifications,
} from "./documents.ts";
import { readModels } from "./models.ts";

/** Reads a report. Artifacts that were deleted from the store are named in `missing`. */
export async function readReport(store: Store, record: RunRecord): Promise<Report> {
  const artifacts = new RunArtifacts(store, record);
  const models = await readModels(artifacts);
  const calibrations = await readCalibrations(artifacts, models);
  const reconstructions = await readReconstructions(artifacts);
  const sensitivities = await readSensitivities(artifacts);
  const fronts = await readFronts(artifacts);
  const verifications = await readVerifications(artifacts);
  return {
    version: REPORT_VERSION,
    ...summarizeRun(record),
    models,
    calibrations,
    reconstructions,
    sensitivities,
    fronts,
    verifications,
    manifests: await manifestsOf(store, record),
    missing: [...artifacts.missing],
  };
}

/** What the key of each stage was made from. */
async function manifestsOf(store: Store, { stages }: RunRecord): Promise<Record<string, unknown>> {
  const manifests: Record<string, unknown> = {};
  for (const { id, key } of stages) {
    if (key === undefined) continue;
    const manifest = (await store.lookup(key)).action?.manifest;
    if (manifest !== undefined) manifests[id] = manifest;
  }
  return manifests;
}

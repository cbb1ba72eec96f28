/**
 * What stages need to run in a test: artifacts of values, data sets of numbers, a context that listens.
 *
 * @module
 */

import type { Batch, Dataset } from "../../src/data/dataset.ts";
import type { Model } from "../../src/onnx/model.ts";
import { elementCount, float32 } from "../../src/onnx/tensor.ts";
import { encodeModel } from "../../src/onnx/write.ts";
import type { Artifact, ArtifactKind, ArtifactValues } from "../../src/registry/artifact.ts";
import type { Progress, StageContext } from "../../src/registry/stage.ts";
import { digestOf } from "../../src/store/digest.ts";

/** A folder for artifacts that goes away with the test. */
export class Fixture implements AsyncDisposable {
  readonly folder: string;

  constructor() {
    this.folder = Deno.makeTempDirSync({ prefix: "bitbound-test-" });
  }

  /** A model as an artifact. */
  model<K extends "model" | "quantized-model">(
    kind: K,
    model: Model,
    origin = "m.model",
  ): Artifact<K> {
    const bytes = encodeModel(model);
    const digest = digestOf(bytes);
    const path = `${this.folder}/${digest}.onnx`;
    Deno.writeFileSync(path, bytes);
    const load = () => Promise.resolve(model as ArtifactValues[K]);
    return { kind, digest, origin, path, load };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** A value as an artifact without a file. */
export function artifact<K extends ArtifactKind>(
  kind: K,
  value: ArtifactValues[K],
  origin: string,
): Artifact<K> {
  return { kind, digest: origin, origin, path: "", load: () => Promise.resolve(value) };
}

/** What an array of a data set is made of. */
export interface Numbers {
  readonly dims: readonly number[];
  readonly values: readonly number[];
}

/** A data set of one float32 array, with labels or targets. */
export function numbers(
  items: Numbers & { name?: string },
  answers: { labels?: number[]; targets?: Numbers; classes?: string[]; labelOffset?: number } = {},
): Dataset {
  const { labels, targets, classes, labelOffset } = answers;
  const width = elementCount(items.dims);
  const length = items.values.length / width;
  const rows = ({ dims, values }: Numbers, start: number, size: number) => {
    const width = elementCount(dims);
    return float32([size, ...dims], values.slice(start * width, (start + size) * width));
  };
  const dataset: Dataset = {
    length,
    inputs: [{ name: items.name, type: "float32", dims: items.dims }],
    labeled: labels !== undefined,
    ...(classes && { classes }),
    ...(labelOffset && { labelOffset }),
    ...(targets && { target: { type: "float32", dims: targets.dims } }),
    nameOf: (index) => `number ${index}`,
    batch(start, count) {
      const size = Math.min(count, length - start);
      const batch: Batch = {
        start,
        size,
        inputs: [rows(items, start, size)],
        ...(labels && { labels: Int32Array.from(labels.slice(start, start + size)) }),
        ...(targets && { targets: rows(targets, start, size) }),
      };
      return Promise.resolve(batch);
    },
    async *batches(size) {
      for (let start = 0; start < length; start += size) yield await dataset.batch(start, size);
    },
  };
  return dataset;
}

/** A context that keeps what it is told. */
export interface ListeningContext extends StageContext {
  readonly warnings: string[];
  readonly reports: Progress[];
}

/** A context for one run of a stage. */
export function context(options: Partial<StageContext> = {}): ListeningContext {
  const warnings: string[] = [];
  const reports: Progress[] = [];
  const checkpoints = new Map<string, Uint8Array>();
  return {
    seed: 0,
    threads: 1,
    memory: 2 ** 30,
    signal: new AbortController().signal,
    checkpoints: {
      load: (name) => Promise.resolve(checkpoints.get(name)),
      save: (name, bytes) => Promise.resolve(void checkpoints.set(name, bytes)),
    },
    progress: (progress) => void reports.push(progress),
    warn: (message) => void warnings.push(message),
    ...options,
    warnings,
    reports,
  };
}

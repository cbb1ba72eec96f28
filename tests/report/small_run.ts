/**
 * A run of a small network with names that try to break out of a page, and what it leaves behind.
 *
 * @module
 */

import { join } from "node:path";
import { Random } from "../../src/base/random.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import type { Model } from "../../src/onnx/model.ts";
import { float32 } from "../../src/onnx/tensor.ts";
import { writeModel } from "../../src/onnx/write.ts";
import type { Report } from "../../src/report/document.ts";
import { readReport } from "../../src/report/read/report.ts";
import { openStore, type RunRecord, type Store } from "../../src/store/store.ts";
import { Folder, run } from "../pipeline/support.ts";

/** What would run if a name were taken for markup. */
export const HOSTILE =
  `</title></svg><script>document.title='broken'</script>"'><img src=x onerror=alert(1)>`;

/** A layer whose name is text of that sort. */
export const HOSTILE_LAYER = `second ${HOSTILE}`;

function network(): Model {
  const random = Random.from(3, "weights");
  const build = new GraphBuilder();
  const weights = (name: string, rows: number, columns: number) =>
    build.constant(
      float32([rows, columns], Array.from({ length: rows * columns }, () => random.normal())),
      name,
    );
  const x = build.input("x", "float32", ["batch", 8]);
  const hidden = build.op("Gemm", [x, weights("first.weight", 8, 16)], {}, { name: "first" });
  const active = build.op("Relu", [hidden], {}, { name: "active", outputs: [HOSTILE] });
  const y = build.op("Gemm", [active, weights("second.weight", 16, 4)], {}, {
    name: HOSTILE_LAYER,
  });
  build.output(y, "float32", ["batch", 4]);
  return build.build();
}

/** A run with quantized models, a calibration, a reconstruction, a table of losses and a front. */
export class SmallRun implements AsyncDisposable {
  readonly record: RunRecord;
  readonly report: Report;
  readonly store: Store;
  readonly #folder: Folder;

  private constructor(folder: Folder, store: Store, record: RunRecord, report: Report) {
    this.#folder = folder;
    this.store = store;
    this.record = record;
    this.report = report;
  }

  /** The folder with the pipeline `pipeline.yaml`, its model and the store `store`. */
  get path(): string {
    return this.#folder.path;
  }

  static async make(): Promise<SmallRun> {
    const folder = new Folder();
    await writeModel(network(), folder.join("net.onnx"));
    const file = folder.pipeline(`
name: ${JSON.stringify(HOSTILE)}
description: ${JSON.stringify(`About ${HOSTILE}`)}
inputs:
  model: { onnx: net.onnx }
  data: { synthetic: { shape: [8], distribution: normal, count: 64, seed: 1 } }
stages:
  - uses: prepare
  - uses: calibrate
  - uses: sensitivity
    with: { bits: [2, 4, 8] }
  - uses: search
    with: { budget: { mean_bits: 5 } }
  - id: mixed
    uses: quantize
  - id: mixed-test
    uses: evaluate
    expect: { mse: "<= 0" }
  - id: w2
    uses: quantize
    in: { assignment: none }
    with: { weights: { bits: 2 }, activations: { bits: 4 } }
  - id: w2-test
    uses: evaluate
  - id: learned
    uses: reconstruct
    in: { model: w2.model }
    with: { preset: fast, steps: 20, unit: layer }
  - id: learned-test
    uses: evaluate
`);
    const { run: id } = await run(file);
    const store = openStore(join(folder.path, "store"));
    const record = (await store.runs.read(id))!;
    return new SmallRun(folder, store, record, await readReport(store, record));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }
}

import assert from "node:assert/strict";
import { Random } from "../../../src/base/random.ts";
import { BOUND_FIELDS } from "../../../src/verify/bounds/batch.ts";
import { DenseEngine } from "../../../src/verify/bounds/dense/engine.ts";
import { GraphEngine } from "../../../src/verify/bounds/graphs/engine.ts";
import { Propagator } from "../../../src/verify/bounds/propagate.ts";
import { allRows } from "../../../src/verify/bounds/rows.ts";
import { boxes, chain } from "../chains.ts";

/** Keeps count of the values whose rows an engine bounds. */
function watch(engine: typeof DenseEngine | typeof GraphEngine): {
  readonly targets: Set<number>;
  readonly [Symbol.dispose]: () => void;
} {
  const { prototype } = engine as { prototype: { rows: GraphEngine["rows"] } };
  const { rows } = prototype;
  const targets = new Set<number>();
  prototype.rows = function (request) {
    targets.add(request.target);
    return rows.call(this as GraphEngine, request);
  };
  return { targets, [Symbol.dispose]: () => prototype.rows = rows };
}

for (const step of [undefined, 0.02]) {
  const kind = step === undefined ? "Relu" : "rounding";
  Deno.test(`kernels and graphs together bound what graphs bound: ${kind}`, async () => {
    const network = chain(11, [500, 100, 60, 5], 1e-3, step);
    await using graphs = new Propagator(network, { engine: "graphs" });
    await using mixed = new Propagator(network);
    const batch = boxes(Random.from(12, "mixed"), 1, 500, 0.4);
    const wanted = await graphs.propagate(batch, "differences");
    using dense = watch(DenseEngine);
    using large = watch(GraphEngine);
    const found = await mixed.propagate(batch, "differences");
    for (const [value, bounds] of wanted.bounds) {
      for (const field of BOUND_FIELDS) {
        const [own, other] = [found.bounds.get(value)![field], bounds[field]];
        const size = other.reduce((most, each) => Math.max(most, Math.abs(each)), 1e-300);
        own.forEach((each, at) => assert.ok(Math.abs(each - other[at]!) < 1e-9 * size));
      }
    }
    for (const view of ["joint", "merged"] as const) {
      const rows = allRows(1, 5);
      const [own, other] = [
        await mixed.boundRows(network.output, view, rows, found),
        await graphs.boundRows(network.output, view, rows, wanted),
      ];
      rows.sign.forEach((sign, at) => {
        if (sign === 0) return;
        assert.ok(Math.abs(own.bounds[at]! / other.bounds[at]! - 1) < 1e-7, view);
      });
    }
    // The value that the last of them reads.
    const second = network.steps.findLastIndex(({ kind }) => kind === "relu");
    assert.ok(dense.targets.has(network.output) && large.targets.has(second), "each does its part");
  });
}

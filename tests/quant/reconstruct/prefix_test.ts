import assert from "node:assert/strict";
import { GraphBuilder } from "../../../src/onnx/build.ts";
import { float32 } from "../../../src/onnx/tensor.ts";
import { ItemStorage, type ItemValues } from "../../../src/quant/reconstruct/item_values.ts";
import { Prefix } from "../../../src/quant/reconstruct/prefix.ts";

const ITEMS = 40;

/** A network with a stream around its layers, as residual networks have, and values that no item has of its own. */
function residual() {
  const graph = new GraphBuilder();
  const x = graph.input("x", "float32", [undefined, 4]);
  const layer = (from: string, name: string) => {
    const weight = graph.constant(float32([4, 4], Float32Array.from({ length: 16 }, Math.cos)));
    return graph.op("MatMul", [from, weight], {}, { outputs: [name] });
  };
  const stream = graph.op("Relu", [layer(x, "a")], {}, { outputs: ["stream"] });
  const inner = graph.op("Relu", [layer(stream, "b")], {}, { outputs: ["inner"] });
  const shape = graph.op("Shape", [inner], {}, { outputs: ["shape"] });
  const turned = graph.op("Transpose", [inner], { perm: [1, 0] }, { outputs: ["turned"] });
  const sum = graph.op("Add", [stream, layer(inner, "c")]);
  const again = graph.op("Reshape", [layer(sum, "d"), shape], {}, { outputs: ["again"] });
  graph.output(graph.op("MatMul", [again, turned], {}, { outputs: ["end"] }), "float32", []);
  return graph.build();
}

function opened(storage: ItemStorage, x: ItemValues): Prefix {
  const { signal } = new AbortController();
  return new Prefix(residual(), new Map([["x", x]]), storage, { threads: 1, signal });
}

const inputs = () => {
  const storage = new ItemStorage(1e9);
  const rows = float32(
    [ITEMS, 4],
    Float32Array.from({ length: 4 * ITEMS }, (_, index) => Math.sin(index)),
  );
  const values = storage.allocate(rows, ITEMS);
  values.write(0, rows);
  return { storage, x: values };
};

Deno.test("what is computed on the way and read again later is kept, if items have it", async () => {
  const { storage, x } = inputs();
  using _ = storage;
  const prefix = opened(storage, x);
  prefix.keepFor(["b", "again"]);
  await prefix.compute(["b"]);
  // Read by the sum that comes later; the first layer need not run again.
  assert.ok(prefix.has("stream"));
  const stream = prefix.get("stream");
  prefix.keepFor(["c", "again", "end"]);
  assert.equal(prefix.get("stream"), stream);
  await prefix.compute(["c"]);
  // The shape and the transposed values are read again, but do not belong to items one by one.
  assert.ok(prefix.has("inner") && !prefix.has("shape") && !prefix.has("turned"));
  await prefix.compute(["again"]);

  const anew = opened(storage, x);
  for (const name of ["stream", "c", "again"]) {
    await anew.compute([name]);
    assert.deepEqual(
      prefix.get(name).read(0, ITEMS).data,
      anew.get(name).read(0, ITEMS).data,
      name,
    );
  }
});

Deno.test("what nothing needs any more is not kept", async () => {
  const { storage, x } = inputs();
  using _ = storage;
  const prefix = opened(storage, x);
  prefix.keepFor(["a", "b"]);
  await prefix.compute(["b"]);
  assert.ok(prefix.has("stream") === false, "only b itself reads it");
  prefix.keepFor(["c"]);
  assert.ok(prefix.has("b"));
  prefix.keepFor([]);
  assert.ok(!prefix.has("b") && prefix.has("x"));
});

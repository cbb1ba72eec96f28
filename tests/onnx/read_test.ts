import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { UserError } from "../../src/base/errors.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import { checkModel } from "../../src/onnx/check.ts";
import type { Model } from "../../src/onnx/model.ts";
import { decodeModel, externalFiles, readModel } from "../../src/onnx/read.ts";
import { create, fromBinary, ModelProtoSchema, toBinary } from "../../src/onnx/protobuf.ts";
import { float32 } from "../../src/onnx/tensor.ts";
import { encodeModel, writeModel } from "../../src/onnx/write.ts";

const text = (value: string) => new TextEncoder().encode(value);

function refusal(bytes: Uint8Array): string {
  try {
    decodeModel(bytes, { name: '"m.onnx"' });
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    return error.message;
  }
  assert.fail("The bytes were read as a model");
}

Deno.test("what is not an ONNX model is told apart by its content", () => {
  const is = (bytes: Uint8Array, expected: RegExp) => assert.match(refusal(bytes), expected);
  is(new Uint8Array(), /^"m.onnx" is empty$/);
  is(text("name: digits\nstages:\n"), /is not an ONNX model: it is a text file/);
  is(text("{}"), /it is a text file/);
  is(text("version https://git-lfs.github.com/spec/v1\noid sha256:0"), /is a Git LFS pointer/);
  is(Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a), /it is a PNG image/);
  is(Uint8Array.of(0xff, 0xd8, 0xff, 0xe0), /it is a JPEG image/);
  is(Uint8Array.of(0x50, 0x4b, 3, 4, 0), /it is a ZIP archive/);
  is(Uint8Array.of(28, 0, 0, 0, 0x54, 0x46, 0x4c, 0x33), /it is a TensorFlow Lite model/);
  is(new Uint8Array(100), /is not an ONNX model$/);
  is(Uint8Array.of(0xff, 0xff, 0xff), /is not an ONNX model$/);
  is(new Uint8Array(64).fill(0xf7), /is not an ONNX model$/);
});

Deno.test("a model whose inside is damaged is refused without a crash", () => {
  const bytes = encodeModel(linearModel());
  const graphTag = bytes.indexOf(0x3a);
  bytes.fill(0xff, graphTag + 4, graphTag + 30);
  assert.match(refusal(bytes), /is a damaged ONNX model|is not an ONNX model|truncated/);
});

Deno.test("whatever is changed in a file, it is read or refused, and what is read can be written", () => {
  const bytes = encodeModel(linearModel());
  const changes = fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(changes, fc.option(fc.nat(bytes.length)), (edits, end) => {
      const damaged = bytes.slice(0, end ?? bytes.length);
      for (const [place, value] of edits) damaged[place] = value;
      let model: Model;
      try {
        model = decodeModel(damaged);
      } catch (error) {
        assert.ok(error instanceof UserError, String(error));
        return;
      }
      checkModel(model);
      assert.deepEqual(decodeModel(encodeModel(model)), model);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("newer versions than are supported are named", () => {
  const write = (irVersion: bigint, version: bigint) =>
    toBinary(
      ModelProtoSchema,
      create(ModelProtoSchema, { irVersion, opsetImport: [{ version }], graph: { name: "g" } }),
    );
  assert.match(refusal(write(14n, 21n)), /has ONNX IR version 14: the newest supported is 13/);
  assert.match(refusal(write(13n, 27n)), /has opset 27: the newest supported is 26/);
  assert.equal(decodeModel(write(13n, 26n)).opsets.get(""), 26);
});

Deno.test("paths that cannot be read are named", async () => {
  await inFolder(async (folder) => {
    await assert.rejects(
      readModel(join(folder, "no.onnx")),
      (error: Error) =>
        error instanceof UserError &&
        /^Model file does not exist: ".*no\.onnx"$/.test(error.message),
    );
    await assert.rejects(
      readModel(folder),
      (error: Error) => error instanceof UserError && /^Model file is a folder/.test(error.message),
    );
  });
});

Deno.test("external data is written aligned beside the model and read back", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "net.onnx");
    const model = linearModel();
    await writeModel(model, path, { external: true });
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [
      "net.onnx",
      "net.onnx.data",
    ]);
    const bytes = Deno.readFileSync(path);
    assert.ok(bytes.length < 1000);
    assert.deepEqual(externalFiles(bytes), ["net.onnx.data"]);
    const { initializer } = fromBinary(ModelProtoSchema, bytes).graph!;
    const offsets = initializer.map(({ externalData }) =>
      Number(externalData.find(({ key }) => key === "offset")?.value ?? 0)
    );
    assert.ok(offsets.every((offset) => offset % 4096 === 0) && offsets.some((o) => o > 0));
    assert.deepEqual(await readModel(path), model);
    const data = Deno.readFileSync(join(folder, "net.onnx.data"));
    assert.deepEqual(decodeModel(bytes, { external: () => data }), model);
    assert.match(refusal(bytes), /keeps tensors in another file: "net\.onnx\.data"/);
  });
});

Deno.test("external data that is missing, short or elsewhere is refused", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "net.onnx");
    await writeModel(linearModel(), path, { external: true });
    const rejects = (pattern: RegExp) =>
      assert.rejects(
        readModel(path),
        (error: Error) => error instanceof UserError && pattern.test(error.message),
      );
    await Deno.truncate(join(folder, "net.onnx.data"), 5000);
    await rejects(
      /"net\.onnx\.data" is too short: tensor "w2" is at bytes 4096 to 8192.* has 5000/,
    );
    await Deno.remove(join(folder, "net.onnx.data"));
    await rejects(/Data file of model ".*net\.onnx" does not exist: ".*net\.onnx\.data"/);
    for (const location of ["../secret", "/etc/passwd", "a/../../b", "C:\\x", "..\\x"]) {
      Deno.writeFileSync(path, relocated(path, location));
      await rejects(/wants to read ".*", which is not in its own folder/);
      assert.throws(() => externalFiles(Deno.readFileSync(path)), UserError);
    }
    for (const [key, value] of [["offset", "-4"], ["length", "1e400"], ["offset", "x"]] as const) {
      Deno.writeFileSync(path, relocated(path, "net.onnx.data", key, value));
      await rejects(/impossible (offset|length)/);
    }
  });
});

Deno.test("writing replaces a file whole and leaves nothing behind when it cannot", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "net.onnx");
    await Deno.writeTextFile(path, "old");
    await writeModel(linearModel(), path);
    assert.deepEqual(await readModel(path), linearModel());
    await assert.rejects(
      writeModel(linearModel(), join(folder, "no", "net.onnx")),
      (error: Error) =>
        error instanceof UserError && error.message.startsWith("Model file cannot be written"),
    );
    await Deno.mkdir(join(folder, "taken"));
    await assert.rejects(writeModel(linearModel(), join(folder, "taken")), UserError);
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [
      "net.onnx",
      "taken",
    ]);
  });
});

Deno.test("the same model always gives the same bytes", () => {
  assert.deepEqual(encodeModel(linearModel()), encodeModel(linearModel()));
});

function linearModel(): Model {
  const builder = new GraphBuilder("linear");
  const x = builder.input("x", "float32", ["batch", 32]);
  const weight = (scale: number) =>
    float32([32, 32], Float32Array.from({ length: 1024 }, (_, index) => index * scale));
  const h = builder.op("MatMul", [x, builder.constant(weight(0.5), "w1")]);
  const y = builder.op("MatMul", [h, builder.constant(weight(-1), "w2")]);
  builder.output(builder.op("Add", [y, builder.constant(1, "b")], {}, { outputs: ["y"] }));
  return builder.build();
}

/** The model file with every external tensor said to be elsewhere. */
function relocated(path: string, location: string, key = "location", value = location): Uint8Array {
  const proto = fromBinary(ModelProtoSchema, Deno.readFileSync(path));
  for (const { externalData } of proto.graph!.initializer) {
    for (const entry of externalData) {
      if (entry.key === "location") entry.value = location;
      if (entry.key === key) entry.value = value;
    }
  }
  return toBinary(ModelProtoSchema, proto);
}

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

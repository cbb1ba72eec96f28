import assert from "node:assert/strict";
import fc from "fast-check";
import { UserError } from "../../src/base/errors.ts";
import { decodeImage } from "../../src/data/images/decode.ts";
import { decodeBase64 } from "./base64.ts";
import { everything, Folder, open } from "./opening.ts";
import { PICTURES } from "./pillow_values.ts";
import { SMALL_FILES } from "./small_files.ts";

/** A file with some bytes changed, and perhaps cut. */
function damaged(bytes: Uint8Array<ArrayBuffer>): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  const change = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
  // Headers are short; most of the changes should hit them.
  const early = fc.tuple(fc.nat(Math.min(100, bytes.length - 1)), fc.nat(255));
  const changes = fc.array(fc.oneof(change, early), { maxLength: 4 });
  return fc.tuple(changes, fc.option(fc.nat(bytes.length))).map(([list, cut]) => {
    const copy = bytes.slice();
    for (const [at, value] of list) copy[at] = value;
    return cut === null ? copy : copy.slice(0, cut);
  });
}

/** Requires that whatever goes wrong is told as the user's file being wrong. */
async function survives(action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
  } catch (error) {
    assert.ok(error instanceof UserError, (error as Error).stack);
  }
}

for (const [name, bytes, spec] of SMALL_FILES) {
  Deno.test(`a damaged ${name} is read or refused, never a crash`, async () => {
    using folder = new Folder();
    await fc.assert(
      fc.asyncProperty(damaged(bytes), async (content) => {
        folder.write(name, content);
        await survives(async () => everything(await open(spec, folder.path)));
      }),
      { numRuns: 150, seed: 1 },
    );
  });
}

for (const [name, { base64 }] of Object.entries(PICTURES)) {
  Deno.test(`a damaged ${name} is decoded or refused, never a crash`, async () => {
    await fc.assert(
      fc.asyncProperty(
        damaged(decodeBase64(base64)),
        (content) => survives(async () => await decodeImage(content, "x")),
      ),
      { numRuns: 100, seed: 1 },
    );
    const { base64: whole, sha256 } = PICTURES.jpeg!;
    assert.ok(sha256 !== "");
    await decodeImage(decodeBase64(whole), "whole");
  });
}

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("../../src/checker/", import.meta.url));

Deno.test("the checker imports nothing but its own files and the hash function", () => {
  const names = [...Deno.readDirSync(FOLDER)].map(({ name }) => name);
  let count = 0;
  for (const name of names) {
    const text = Deno.readTextFileSync(FOLDER + name);
    for (const [, specifier] of text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)) {
      count++;
      if (specifier === "node:crypto") continue;
      assert.match(specifier!, /^\.\/[a-z_0-9]+\.ts$/, `${name} imports ${specifier}`);
      assert.ok(names.includes(specifier!.slice(2)));
    }
  }
  assert.ok(count > 10);
});

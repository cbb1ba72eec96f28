import assert from "node:assert/strict";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("../../src/checker/", import.meta.url));

/** Paths in the folder of the checker. */
function filesOf(folder: string): string[] {
  return [...Deno.readDirSync(FOLDER + folder)].flatMap(({ name, isDirectory }) => {
    const path = posix.join(folder, name);
    return isDirectory ? filesOf(path) : [path];
  });
}

Deno.test("the checker imports nothing but its own files and the hash function", () => {
  const names = filesOf("");
  let count = 0;
  for (const name of names) {
    const text = Deno.readTextFileSync(FOLDER + name);
    for (const [, specifier] of text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)) {
      count++;
      if (specifier === "node:crypto") continue;
      const path = posix.join(posix.dirname(name), specifier!);
      assert.ok(specifier!.startsWith(".") && names.includes(path), `${name} imports ${specifier}`);
    }
  }
  assert.ok(count > 10);
});

import assert from "node:assert/strict";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** A comment that has its lines for itself. */
const COMMENT = /^\s*(?:\/\/.*|\/\*[^]*?\*\/)$/gm;

/** An import in a source file; both are paths from `src/`. */
interface Import {
  readonly from: string;
  readonly to: string;
  /** By `import()`, when it is needed. */
  readonly isLazy: boolean;
}

function sources(folder = ""): string[] {
  return [...Deno.readDirSync(`${ROOT}src/${folder}`)].flatMap(({ name, isDirectory }) => {
    const path = posix.join(folder, name);
    if (isDirectory) return sources(path);
    return name.endsWith(".ts") ? [path] : [];
  });
}

function importsOf(from: string): Import[] {
  const text = Deno.readTextFileSync(`${ROOT}src/${from}`).replaceAll(COMMENT, "");
  const found = text.matchAll(/(?:\bfrom\s*|^import\s*|\b(import)\(\s*)"(\.[^"]+)"/gm);
  return [...found].map(([, lazy, path]) => ({
    from,
    to: posix.join(posix.dirname(from), path!),
    isLazy: lazy !== undefined,
  }));
}

/** The layers as `docs/architecture.md` orders them, the highest first. */
function documentedLayers(): string[][] {
  const text = Deno.readTextFileSync(`${ROOT}docs/architecture.md`);
  const line = text.split("\n").find((each) => each.startsWith("    cli → "));
  assert.ok(line !== undefined, "docs/architecture.md has no line of layers");
  return line.trim().split(" → ").map((level) => level.split(" · "));
}

function layerOf(path: string): string {
  return path.split("/")[0]!;
}

const imports = sources().flatMap(importsOf);
const LEVELS = new Map(
  documentedLayers().flatMap((layers, index) => layers.map((layer) => [layer, index] as const)),
);

Deno.test("the documented layers are the folders of src", () => {
  const folders = [...Deno.readDirSync(`${ROOT}src`)].map(({ name }) => name);
  assert.deepEqual([...LEVELS.keys()].sort(), folders.sort());
});

Deno.test("every import names a file that is there", () => {
  // Otherwise the pattern above finds what is no import, or paths that no layer can be told from.
  const files = new Set(sources());
  assert.deepEqual(imports.filter(({ to }) => !to.startsWith("../") && !files.has(to)), []);
  assert.ok(imports.length > files.size);
});

Deno.test("each layer imports only from those below it", () => {
  const upward = imports.filter(({ from, to }) => {
    const [layer, other] = [layerOf(from), layerOf(to)];
    return layer !== other && !(LEVELS.get(other)! > LEVELS.get(layer)!);
  });
  assert.deepEqual(upward.filter(({ to }) => !to.startsWith("../")), []);
});

Deno.test("no stage imports from another", () => {
  const across = imports.filter(({ from, to }) =>
    /^stages\/[^/]+\//.test(from) && layerOf(to) === "stages" &&
    to.split("/")[1] !== from.split("/")[1]
  );
  assert.deepEqual(across, []);
});

Deno.test("the work of a stage is loaded only when it runs", () => {
  const works = imports.filter(({ to }) => /^stages\/[^/]+\/run\.ts$/.test(to));
  assert.ok(works.length > 0);
  assert.deepEqual(works.filter(({ isLazy }) => !isLazy), []);
  assert.deepEqual(works.filter(({ from }) => posix.basename(from) !== "mod.ts"), []);
});

/**
 * The library `yaml`, in the form that starts fastest. Only `yaml.ts` uses it.
 *
 * Deno takes the CommonJS modules of the package, which need 40 ms; the same code as ES modules, which the package
 * has for browsers, needs 8 ms and asks for no environment variables.
 *
 * @module
 */

type Library = typeof import("yaml");

async function load(): Promise<Library> {
  const entry = import.meta.resolve("yaml");
  if (entry.startsWith("file:") && entry.endsWith("/dist/index.js")) {
    try {
      return await import(new URL("../browser/index.js", entry).href) as Library;
    } catch {
      // Another version of the package may be laid out differently.
    }
  }
  return await import("yaml");
}

export const { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit }: Library =
  await load();

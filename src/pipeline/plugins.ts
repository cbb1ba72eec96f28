/**
 * Loads stages that are not part of Bitbound.
 *
 * @module
 */

import { fileURLToPath, isAbsolute, pathToFileURL, resolve, sep } from "../base/path.ts";
import { canonicalJson } from "../base/canonical_json.ts";
import { importLater } from "../base/import_later.ts";
import { type Problem, type SourcePlace, UserError } from "../base/errors.ts";
import type { Plugin, Registry } from "../registry/registry.ts";
import { type Digest, digestOf } from "../store/digest.ts";

/** A module's imports from beside it: `from "./a.ts"`, `import "./a.ts"`, `import("./a.ts")`. */
const LOCAL_IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*)(["'])(\.{1,2}\/[^"'\n]+)\1/g;

/** What each module was when this process imported it: a module is imported only once. */
const imported = new Map<string, Digest>();

/** Imports a plugin and adds its stages; returns what is wrong with it. */
export async function loadPlugin(
  registry: Registry,
  path: string,
  directory: string,
  place: SourcePlace,
): Promise<Problem[]> {
  let plugin: Plugin;
  let exported: unknown;
  try {
    plugin = await locatePlugin(path, directory);
    exported = await importPlugin(plugin);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.problems.map((problem) => ({ ...problem, place }));
  }
  return registry.add(exported, plugin)
    .map((message) => ({ message: `Plugin "${path}": ${message}`, place }));
}

/**
 * Finds a plugin's module and digests it.
 *
 * @throws {UserError} If it is not there.
 */
async function locatePlugin(path: string, directory: string): Promise<Plugin> {
  if (path.startsWith("npm:")) return await locateInPackage(path, directory);
  if (/^[a-z][a-z0-9+.-]+:/i.test(path) && !path.startsWith("file:")) {
    throw new UserError({
      message: `Plugin "${path}" is neither a file nor an npm package`,
      hint:
        "Save the module beside the pipeline, so that its contents can be part of the cache key",
    });
  }
  const file = path.startsWith("file:")
    ? fileURLToPath(path)
    : isAbsolute(path)
    ? path
    : resolve(directory, path);
  const digest = await digestSources(file);
  if (digest === undefined) {
    throw new UserError({
      message: `Plugin "${path}" does not exist`,
      hint: `Looked for "${file}"; relative paths count from the pipeline file`,
    });
  }
  return { module: pathToFileURL(file).href, digest };
}

async function locateInPackage(path: string, directory: string): Promise<Plugin> {
  const { locatePackage } = await importLater<typeof import("../data/locate.ts")>(
    import.meta.resolve("../data/locate.ts"),
  );
  const { digestPackage, packageModule } = await packages();
  const { root, inside } = await locatePackage(path, directory, [], { mayInstall: false });
  const module = pathToFileURL(await packageModule(root, inside)).href;
  return { module, digest: await digestPackage(root), package: root };
}

function packages() {
  return importLater<typeof import("./plugin_package.ts")>(
    import.meta.resolve("./plugin_package.ts"),
  );
}

/** What programs import, for modules that cannot: those in packages do not see Bitbound. */
function api() {
  return importLater<typeof import("../../mod.ts")>(import.meta.resolve("../../mod.ts"));
}

async function digestOfPlugin({ module, package: root }: Plugin): Promise<Digest | undefined> {
  if (root === undefined) return await digestSources(fileURLToPath(module));
  return await (await packages()).digestPackage(root);
}

/**
 * The default export of a plugin; if it is a function, what that makes of Bitbound's API.
 *
 * @throws {UserError} If it cannot be imported, or is not what was digested.
 */
export async function importPlugin(plugin: Plugin): Promise<unknown> {
  const path = fileURLToPath(plugin.module);
  const known = imported.get(plugin.module);
  if (known !== undefined && known !== plugin.digest) throw changed(path);
  imported.set(plugin.module, plugin.digest);
  let exported: unknown;
  try {
    const module = await importLater<{ readonly default?: unknown }>(plugin.module);
    exported = typeof module.default === "function"
      ? await module.default(await api())
      : module.default;
  } catch (error) {
    imported.delete(plugin.module);
    throw new UserError({
      message: `Plugin "${path}" cannot be loaded: ${
        error instanceof Error ? error.message : error
      }`,
    }, { cause: error });
  }
  if (await digestOfPlugin(plugin) !== plugin.digest) throw changed(path);
  return exported;
}

function changed(path: string): UserError {
  return new UserError({
    message: `Plugin "${path}" changed after it was loaded`,
    hint: "Run again",
  });
}

/** Whether a file is part of Bitbound, which the versions of its stages stand for. */
function isOwn(file: string): boolean {
  return import.meta.dirname !== undefined &&
    (file === resolve(import.meta.dirname, "../../mod.ts") ||
      file.startsWith(resolve(import.meta.dirname, "..") + sep));
}

/** Digests a module and all that it imports by relative paths; `undefined` if there is none. */
async function digestSources(file: string): Promise<Digest | undefined> {
  const digests = new Map<string, Digest>();
  const open = [file];
  while (open.length > 0) {
    const path = open.pop()!;
    if (digests.has(path)) continue;
    let bytes: Uint8Array;
    try {
      bytes = await Deno.readFile(path);
    } catch (error) {
      if (path === file && error instanceof Deno.errors.NotFound) return undefined;
      // What looks like an import may stand in a comment; importing tells if it is really missing.
      continue;
    }
    digests.set(path, digestOf(bytes));
    const text = new TextDecoder().decode(bytes);
    for (const [, , specifier] of text.matchAll(LOCAL_IMPORT)) {
      const found = resolve(path, "..", specifier!);
      if (!isOwn(found)) open.push(found);
    }
  }
  // The order of discovery is the same for the same sources; where they lie must not matter.
  return digestOf(canonicalJson([...digests.values()]));
}

/**
 * Plugins that are npm packages: which module is meant, and what its code is.
 *
 * @module
 */

import { canonicalJson, type JsonValue } from "../base/canonical_json.ts";
import { UserError } from "../base/errors.ts";
import { dirname, join, relative } from "../base/path.ts";
import { type Digest, digestFile, digestOf } from "../store/digest.ts";
import { isObject } from "./paths.ts";

/** How the exports of a package say which module Deno gets. */
const CONDITIONS = ["deno", "import", "module-sync", "default"];

/**
 * The module that a package is imported by.
 *
 * @param inside A path inside the package; its main module if empty.
 * @throws {UserError} If the package does not say which, or that is not there.
 */
export async function packageModule(root: string, inside: string): Promise<string> {
  const manifest = await manifestOf(root);
  const target = inside !== "" ? inside : exported(manifest.exports) ??
    (typeof manifest.main === "string" ? manifest.main : "index.js");
  const path = join(root, target);
  const isInside = !relative(root, path).startsWith("..");
  if (isInside && await Deno.stat(path).then(({ isFile }) => isFile, () => false)) return path;
  throw new UserError({
    message: `Package "${manifest.name}" has no module "${target}"`,
    hint: "Name a module of it: npm:PACKAGE@X.Y.Z/PATH",
  });
}

function exported(value: JsonValue | undefined): string | undefined {
  if (typeof value === "string") return value;
  if (!isObject(value)) return undefined;
  if (value["."] !== undefined) return exported(value["."]);
  const condition = CONDITIONS.find((name) => value[name] !== undefined);
  return condition === undefined ? undefined : exported(value[condition]);
}

/** The digest of all files of a package, and of the packages that it depends on, wherever they are. */
export async function digestPackage(root: string): Promise<Digest> {
  const digests = new Map<string, JsonValue>();
  const open = [await Deno.realPath(root)];
  while (open.length > 0) {
    const folder = open.pop()!;
    if (digests.has(folder)) continue;
    const manifest = await manifestOf(folder);
    const files = await filesIn(folder, folder);
    digests.set(folder, Object.fromEntries(files));
    for (const name of Object.keys({ ...asMap(manifest.dependencies) }).sort()) {
      const found = await findDependency(name, folder);
      if (found !== undefined) open.push(found);
    }
  }
  return digestOf(canonicalJson([...digests.values()]));
}

async function filesIn(folder: string, root: string): Promise<[string, Digest][]> {
  const found: [string, Digest][] = [];
  for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory && name !== "node_modules") found.push(...await filesIn(path, root));
    if (isFile) {
      found.push([relative(root, path).replaceAll("\\", "/"), (await digestFile(path)).digest]);
    }
  }
  return found;
}

/** Where Node's rules find a package that another one depends on. */
async function findDependency(name: string, from: string): Promise<string | undefined> {
  for (let folder = from;; folder = dirname(folder)) {
    const path = await Deno.realPath(join(folder, "node_modules", name)).catch(() => undefined);
    if (path !== undefined) return path;
    if (dirname(folder) === folder) return undefined;
  }
}

async function manifestOf(root: string): Promise<{ readonly [name: string]: JsonValue }> {
  try {
    const manifest = JSON.parse(await Deno.readTextFile(join(root, "package.json"))) as JsonValue;
    return asMap(manifest);
  } catch (error) {
    throw new UserError({
      message: `"${root}" is no package: ${(error as Error).message}`,
      hint: "Install it again",
    }, { cause: error });
  }
}

function asMap(value: JsonValue | undefined): { readonly [name: string]: JsonValue } {
  return isObject(value) ? value : {};
}

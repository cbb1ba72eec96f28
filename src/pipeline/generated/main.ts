/**
 * Writes what is generated from the stages' definitions, or with `--check` says what is out of date.
 *
 * @module
 */

import { dirname, join, resolve } from "../../base/path.ts";
import { builtInStages } from "../../stages/mod.ts";
import { schemaFiles } from "./schemas.ts";
import { stagesPage } from "./stages_page.ts";

const ROOT = resolve(import.meta.dirname!, "../../..");

/** All generated files: path from the project's root, and text. */
export function generatedFiles(): Map<string, string> {
  const schemas = [...schemaFiles(builtInStages)];
  return new Map([
    ...schemas.map(([path, text]) => [`schemas/${path}`, text] as const),
    ["docs/stages.md", stagesPage(builtInStages)],
  ]);
}

/** The files of the tree that are not what they should be: changed, missing, or left over. */
export async function outdatedFiles(): Promise<string[]> {
  const files = generatedFiles();
  const outdated: string[] = [];
  for (const [path, text] of files) {
    if (await Deno.readTextFile(join(ROOT, path)).catch(() => undefined) !== text) {
      outdated.push(path);
    }
  }
  for (const path of await existingSchemas("schemas")) if (!files.has(path)) outdated.push(path);
  return outdated;
}

async function existingSchemas(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(ROOT, folder))) {
    const path = `${folder}/${name}`;
    if (isDirectory) found.push(...await existingSchemas(path));
    else found.push(path);
  }
  return found;
}

async function update(): Promise<void> {
  const files = generatedFiles();
  for (const path of await outdatedFiles()) {
    const text = files.get(path);
    const target = join(ROOT, path);
    if (text === undefined) await Deno.remove(target);
    else {
      await Deno.mkdir(dirname(target), { recursive: true });
      await Deno.writeTextFile(target, text);
    }
    console.log(`${text === undefined ? "removed" : "wrote"} ${path}`);
  }
}

if (import.meta.main) {
  if (Deno.args.includes("--check")) {
    const outdated = await outdatedFiles();
    for (const path of outdated) console.error(`${path} is out of date: run deno task schemas`);
    if (outdated.length > 0) Deno.exit(1);
  } else await update();
}

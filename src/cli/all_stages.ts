/**
 * The stages that come with Bitbound, and those of plugins that the command line names.
 *
 * @module
 */

import { resolve } from "../base/path.ts";
import { UserError } from "../base/errors.ts";
import type { AnyStage } from "../registry/stage.ts";

/**
 * Loads the definitions.
 *
 * @param plugins Modules with stages; relative paths count from the current folder.
 * @param writes Files and folders that what is made of them is written to.
 * @throws {UserError} If a plugin is not there, or is no plugin.
 */
export async function allStages(
  plugins: readonly string[],
  writes: readonly string[] = [],
): Promise<readonly AnyStage[]> {
  const { builtInStages } = await import("../stages/mod.ts");
  if (plugins.length === 0) return builtInStages;
  const { Registry } = await import("../registry/registry.ts");
  const { loadPlugin } = await import("../pipeline/plugins.ts");
  const { admitForeignCode } = await import("../pipeline/foreign_code.ts");
  admitForeignCode(() => ({ exports: writes.map((path) => resolve(path)), directory: Deno.cwd() }));
  const registry = new Registry(builtInStages);
  const problems = [];
  for (const plugin of plugins) {
    problems.push(...await loadPlugin(registry, plugin, Deno.cwd(), { file: plugin }));
  }
  if (problems.length > 0) throw new UserError(problems);
  return registry.all().map(({ definition }) => definition);
}

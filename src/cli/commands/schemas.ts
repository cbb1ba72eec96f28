/**
 * `bitbound schemas --out DIR`
 *
 * @module
 */

import { dirname, join } from "../../base/path.ts";
import { UserError } from "../../base/errors.ts";
import { allStages } from "../all_stages.ts";
import { ExitCode } from "../exit_code.ts";
import { shownPath } from "../output/problems.ts";
import type { Streams } from "../output/streams.ts";

/** Its options. */
export interface SchemasOptions {
  readonly out: string | undefined;
  readonly plugins: readonly string[];
}

/** Writes the JSON Schemas by which editors complete and check pipeline files, plugins' stages with the others. */
export async function schemas(options: SchemasOptions, { out }: Streams): Promise<ExitCode> {
  const { schemaFiles } = await import("../../pipeline/generated/schemas.ts");
  const folder = options.out ?? "schemas";
  const files = schemaFiles(await allStages(options.plugins, [folder]));
  try {
    for (const [name, text] of files) {
      const path = join(folder, name);
      await Deno.mkdir(dirname(path), { recursive: true });
      await Deno.writeTextFile(path, text);
    }
  } catch (error) {
    throw new UserError({
      message: `Schemas cannot be written to "${folder}": ${(error as Error).message}`,
      hint: "Name another folder with --out",
    }, { cause: error });
  }
  const main = shownPath(join(folder, "pipeline.schema.json"));
  out.lines(
    `${out.style.green("✓")} ${files.size} schemas in ${shownPath(folder)}`,
    `${out.style.cyan("→")} begin a pipeline with: # yaml-language-server: $schema=${main}`,
  );
  return ExitCode.done;
}

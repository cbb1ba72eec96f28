/**
 * Writing a report in any of its forms.
 *
 * @module
 */

import { dirname } from "../../base/path.ts";
import { UserError } from "../../base/errors.ts";
import { importLater } from "../../base/import_later.ts";
import { makeStyle, type Style } from "../../base/terminal_text.ts";
import { summarizeRun } from "../../report/summary.ts";
import { markdownOf } from "../../report/text/markdown.ts";
import type { RunRecord, Store } from "../../store/store.ts";
import type { ReportFormat } from "./report_format.ts";
import { runLines } from "./run_text.ts";

/**
 * The text of a report.
 *
 * @param style For the form `text`.
 */
export async function reportText(
  record: RunRecord,
  store: Store,
  format: ReportFormat,
  style: Style = makeStyle(false),
): Promise<string> {
  switch (format) {
    case "text":
      return runLines(summarizeRun(record), store, style, true).slice(1).join("\n") + "\n";
    case "markdown":
      return markdownOf(summarizeRun(record));
    case "json":
      return JSON.stringify(await readReport(record, store), null, 2) + "\n";
    case "html": {
      const { pageOf } = await importLater<typeof import("../../report/html/page.ts")>(
        import.meta.resolve("../../report/html/page.ts"),
      );
      return pageOf(await readReport(record, store));
    }
  }
}

async function readReport(record: RunRecord, store: Store) {
  const reader = await importLater<typeof import("../../report/read/report.ts")>(
    import.meta.resolve("../../report/read/report.ts"),
  );
  return await reader.readReport(store, record);
}

/**
 * Makes sure that a file can be written before hours of work end with it.
 *
 * @throws {UserError} If its folder is not there.
 */
export async function requireFolder(path: string, option: string): Promise<void> {
  const folder = dirname(path);
  const found = await Deno.stat(folder).catch(() => undefined);
  if (found?.isDirectory === true) return;
  throw new UserError({
    message: `There is no folder "${folder}" for ${option} "${path}"`,
    hint: `Make it, or name a file in a folder that is there`,
  });
}

/**
 * Writes a file, replacing the one before.
 *
 * @throws {UserError} If it cannot be written.
 */
export async function writeReport(path: string, text: string): Promise<void> {
  try {
    await Deno.writeTextFile(path, text);
  } catch (error) {
    throw new UserError({
      message: `Report "${path}" cannot be written: ${(error as Error).message}`,
      hint: "Name another file",
    }, { cause: error });
  }
}

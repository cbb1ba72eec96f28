/**
 * `bitbound report [RUN]`
 *
 * @module
 */

import { ExitCode } from "../exit_code.ts";
import { shownPath } from "../output/problems.ts";
import { reportText, requireFolder, writeReport } from "../output/report_file.ts";
import { formatOfFile, type ReportFormat } from "../output/report_format.ts";
import type { Streams } from "../output/streams.ts";
import { runOf } from "../run_of.ts";
import { openNamedStore } from "../store_folder.ts";

/** Its options. */
export interface ReportOptions {
  readonly run: string | undefined;
  readonly format: ReportFormat | undefined;
  readonly out: string | undefined;
  readonly store: string | undefined;
}

/** Reports on a run, on standard output or in a file. */
export async function report(options: ReportOptions, streams: Streams): Promise<ExitCode> {
  const { run = "latest", out: path } = options;
  const format = options.format ?? (path === undefined ? "text" : formatOfFile(path, "--out"));
  if (path !== undefined) await requireFolder(path, "--out");
  await using store = openNamedStore(options.store, streams);
  const record = await runOf(run, store);
  if (path === undefined) {
    streams.out.write(await reportText(record, store, format, streams.out.style));
    return ExitCode.done;
  }
  await writeReport(path, await reportText(record, store, format));
  streams.err.lines(`Report of run ${record.id}: ${shownPath(path)}`);
  return ExitCode.done;
}

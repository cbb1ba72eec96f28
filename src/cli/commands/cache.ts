/**
 * `bitbound cache ls`, `bitbound cache verify`, `bitbound cache gc`
 *
 * @module
 */

import { type Style, textTable } from "../../base/terminal_text.ts";
import { formatBytes, formatSeconds } from "../../base/units.ts";
import { shortDigest } from "../../store/digest.ts";
import type { GarbageReport } from "../../store/gc.ts";
import type { StoredAction } from "../../store/store.ts";
import { ExitCode } from "../exit_code.ts";
import { shownPath } from "../output/problems.ts";
import type { Streams } from "../output/streams.ts";
import { storeFolder } from "../store_folder.ts";

/** Options of `cache ls` and `cache verify`. */
export interface CacheOptions {
  readonly store: string | undefined;
  readonly json: boolean;
}

/** Options of `cache gc`. */
export interface GarbageCommandOptions extends CacheOptions {
  readonly keepRuns: number | undefined;
  /** In milliseconds. */
  readonly olderThan: number | undefined;
  readonly dryRun: boolean;
}

/** Lists the results in the store, newest first. */
export async function cacheList(options: CacheOptions, { out }: Streams): Promise<ExitCode> {
  const { openStore } = await import("../../store/store.ts");
  const root = storeFolder(options.store);
  await using store = openStore(root);
  const actions: StoredAction[] = [];
  for await (const action of store.actions()) actions.push(action);
  actions.sort((a, b) => b.finished.localeCompare(a.finished) || a.key.localeCompare(b.key));
  const sizes = new Map(
    actions.flatMap(({ outputs }) =>
      Object.values(outputs).map(({ digest, size }) => [digest, size] as const)
    ),
  );
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  if (options.json) {
    const results = actions.map(({ key, manifest, outputs, metrics, seconds, run, finished }) => ({
      key,
      stage: manifest.stage,
      finished,
      seconds,
      run,
      outputs,
      metrics,
    }));
    out.lines(JSON.stringify({ version: 1, store: root, bytes, results }, null, 2));
    return ExitCode.done;
  }
  if (actions.length === 0) out.lines(`Store ${shownPath(root)} is empty`);
  else {out.lines(
      ...listLines(actions, out.style),
      "",
      `${count(actions.length, "result")}, ${formatBytes(bytes)} in ${shownPath(root)}`,
    );}
  return ExitCode.done;
}

function listLines(actions: readonly StoredAction[], style: Style): string[] {
  return textTable(
    [
      { title: "key" },
      { title: "stage" },
      { title: "made" },
      { title: "took", align: "right" },
      { title: "size", align: "right" },
      { title: "outputs" },
    ],
    actions.map(({ key, manifest, finished, seconds, outputs }) => [
      style.dim(shortDigest(key)),
      manifest.stage,
      `${finished.slice(0, 10)} ${finished.slice(11, 16)}`,
      formatSeconds(seconds),
      formatBytes(Object.values(outputs).reduce((sum, { size }) => sum + size, 0)),
      Object.entries(outputs).map(([port, { digest }]) => `${port} ${shortDigest(digest)}`).join(
        ", ",
      ),
    ]),
    style,
  );
}

/** Hashes everything in the store. */
export async function cacheVerify(options: CacheOptions, { out, err }: Streams): Promise<ExitCode> {
  const { verifyStore } = await import("../../store/verify.ts");
  const root = storeFolder(options.store);
  const report = await verifyStore(root, (done, total) => {
    if (err.interactive) err.write(`\r\x1b[K${done === total ? "" : `blob ${done} of ${total}`}`);
  });
  const whole = report.damage.length === 0;
  if (options.json) {
    out.lines(JSON.stringify({ version: 1, store: root, ...report }, null, 2));
  } else {
    out.lines(
      ...report.damage.map((message) => `${out.style.red("✗")} ${message}`),
      `${whole ? out.style.green("✓") : out.style.red("✗")} ${
        count(report.results, "result")
      } and ` +
        `${count(report.blobs, "blob")} (${formatBytes(report.bytes)}) checked: ` +
        (whole ? "all whole" : "damage was set aside, and the stages will run again"),
    );
  }
  return whole ? ExitCode.done : ExitCode.failed;
}

/** Deletes what is no longer wanted. */
export async function cacheGarbage(
  options: GarbageCommandOptions,
  { out }: Streams,
): Promise<ExitCode> {
  const { collectGarbage } = await import("../../store/gc.ts");
  const root = storeFolder(options.store);
  const report = await collectGarbage(root, {
    ...(options.keepRuns === undefined ? {} : { keepRuns: options.keepRuns }),
    ...(options.olderThan === undefined ? {} : { olderThan: options.olderThan }),
    dryRun: options.dryRun,
  });
  if (options.json) {
    out.lines(
      JSON.stringify({ version: 1, store: root, dryRun: options.dryRun, ...report }, null, 2),
    );
  } else out.lines(...garbageLines(report, options));
  return ExitCode.done;
}

function garbageLines(report: GarbageReport, options: GarbageCommandOptions): string[] {
  const deleted = [
    [report.runs, "run"],
    [report.results, "result"],
    [report.blobs, "blob"],
    [report.checkpoints, "set of checkpoints"],
    [report.leftovers, "leftover"],
  ] as const;
  const parts = deleted.filter(([number]) => number > 0).map(([number, what]) =>
    count(number, what)
  );
  const kept = `${count(report.keptRuns, "run")} and ${
    count(report.keptResults, "result")
  } are kept`;
  if (parts.length === 0) return [`Nothing to delete: ${kept}`];
  const verb = options.dryRun ? "Would delete" : "Deleted";
  return [`${verb} ${parts.join(", ")} (${formatBytes(report.bytes)}); ${kept}`];
}

function count(number: number, what: string): string {
  if (number === 1) return `1 ${what}`;
  return what.startsWith("set ") ? `${number} sets${what.slice(3)}` : `${number} ${what}s`;
}

/**
 * `bitbound lineage ARTIFACT`
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { printable, type Style } from "../../base/terminal_text.ts";
import { formatAge, formatBytes, formatSeconds } from "../../base/units.ts";
import type { Lineage } from "../../pipeline/lineage.ts";
import { shortDigest } from "../../store/digest.ts";
import { ExitCode } from "../exit_code.ts";
import { shownPath } from "../output/problems.ts";
import type { Streams } from "../output/streams.ts";
import { openNamedStore } from "../store_folder.ts";

/** Its options. */
export interface LineageOptions {
  readonly artifact: string;
  readonly store: string | undefined;
  readonly json: boolean;
}

/** Shows what an artifact was made from, down to the files of the user. */
export async function lineage(options: LineageOptions, streams: Streams): Promise<ExitCode> {
  const { out } = streams;
  await using store = openNamedStore(options.store, streams);
  const { LineageIndex } = await import("../../pipeline/lineage.ts");
  const index = await LineageIndex.read(store);
  let digest: string;
  if (isFile(options.artifact)) {
    digest = (await store.fileDigest(options.artifact)).digest;
    if (!index.has(digest)) {
      throw new UserError({
        message: `Nothing in the store "${store.root}" has the bytes of "${options.artifact}"`,
        hint: "It was changed, made with another store (--store), or its results were deleted",
      });
    }
  } else digest = index.digestOf(options.artifact);
  const found = index.trace(digest);
  if (options.json) out.lines(JSON.stringify({ version: 1, artifact: found }, null, 2));
  else out.lines(...lineageLines(found, out.style));
  return ExitCode.done;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** The tree of an artifact, each below what it was used for. */
function lineageLines(artifact: Lineage, style: Style): string[] {
  const { name, kind, digest, size, path, spec, made, repeated } = artifact;
  const head = [
    style.bold(printable(name ?? kind)),
    ...(name === undefined ? [] : [kind]),
    style.dim(shortDigest(digest)),
    ...(size === undefined ? [] : [formatBytes(size)]),
    ...(path === undefined ? [] : [printable(shownPath(path))]),
    ...(repeated === true ? [style.dim("(as above)")] : []),
  ].join("  ");
  if (made === undefined) {
    const isTold = spec === undefined || path !== undefined;
    return isTold ? [head] : [head, `  ${printable(fields(spec))}`];
  }
  const { manifest, run, finished, seconds, from } = made;
  const parameters = fields(manifest.parameters);
  const branch = from.length > 0 ? "│ " : "  ";
  const lines = [
    head,
    `${branch}by ${style.cyan(manifest.stage)} version ${manifest.version}, seed ${manifest.seed}`,
    ...(parameters === "" ? [] : [`${branch}with ${printable(parameters)}`]),
    style.dim(`${branch}in run ${run}, ${formatAge(finished)}, ${formatSeconds(seconds)}`),
  ];
  for (const [index, { port, artifact }] of from.entries()) {
    const isLast = index === from.length - 1;
    const [first, ...rest] = lineageLines(artifact, style);
    lines.push(`${isLast ? "└" : "├"}─ ${port}: ${first}`);
    lines.push(...rest.map((line) => `${isLast ? " " : "│"}  ${line}`));
  }
  return lines;
}

function fields(values: Readonly<Record<string, unknown>>): string {
  return Object.entries(values)
    .map(([key, value]) => `${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");
}

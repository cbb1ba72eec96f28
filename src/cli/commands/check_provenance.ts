/**
 * `bitbound check-provenance FILE`
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { isPublicKey } from "../../base/signature.ts";
import { printable, type Style } from "../../base/terminal_text.ts";
import { formatNumber } from "../../base/units.ts";
import { checkProvenance, type ProvenanceReport } from "../../pipeline/provenance/check.ts";
import { shortDigest } from "../../store/digest.ts";
import { ExitCode } from "../exit_code.ts";
import { shownPath } from "../output/problems.ts";
import type { Streams } from "../output/streams.ts";

/** Its options. */
export interface CheckProvenanceOptions {
  readonly file: string;
  readonly keys: readonly string[];
  readonly json: boolean;
}

/** Compares a statement with the files beside it, and says what it tells. */
export async function checkProvenanceFile(
  { file, keys, json }: CheckProvenanceOptions,
  { out }: Streams,
): Promise<ExitCode> {
  const wrong = keys.find((key) => !isPublicKey(key));
  if (wrong !== undefined) {
    throw new UserError({
      message: `"${wrong}" is no public key`,
      hint: "A public key is ed25519: and 43 characters; bitbound keys show FILE prints it",
    });
  }
  const report = await checkProvenance(file, keys);
  const accepted = report.faults.length === 0;
  if (json) out.lines(JSON.stringify({ version: 1, accepted, ...report }, null, 2));
  else out.lines(...reportLines(report, file, keys.length > 0, out.style).map(printable));
  return accepted ? ExitCode.done : ExitCode.failed;
}

function reportLines(
  { statement, signers, faults }: ProvenanceReport,
  file: string,
  isKeyGiven: boolean,
  style: Style,
): string[] {
  const { subject, predicate } = statement;
  const { externalParameters, resolvedDependencies } = predicate.buildDefinition;
  const files = subject.map(({ name, digest }) =>
    `${style.bold(name)}  ${style.dim(shortDigest(digest.sha256 ?? ""))}`
  );
  const sources = resolvedDependencies.map(({ name, digest, annotations }) => {
    const spec = annotations?.spec;
    const said = typeof spec === "object" && spec !== null && !Array.isArray(spec)
      ? Object.entries(spec).map(([key, value]) =>
        `${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`
      )
      : [];
    return `${name}  ${style.dim(shortDigest(Object.values(digest)[0] ?? ""))}  ${said.join(", ")}`
      .trimEnd();
  });
  const stages = predicate.bitbound_stages.flatMap(({ id, manifest, metrics, expects }) => {
    const unmet = new Set(expects.filter(({ met }) => !met).map(({ metric }) => metric));
    const conditions = new Map(expects.map(({ metric, condition }) => [metric, condition]));
    return [
      `${style.bold(id)}${
        id === manifest.stage ? "" : ` (${manifest.stage})`
      }, version ${manifest.version}`,
      ...Object.entries(metrics).map(([metric, value]) => {
        const condition = conditions.get(metric);
        const mark = unmet.has(metric) ? style.red("not met") : style.green("met");
        const gate = condition === undefined ? "" : `, expected ${condition}: ${mark}`;
        return `  ${metric}: ${formatNumber(value)}${gate}`;
      }),
    ];
  });
  return [
    style.bold("Files"),
    ...indent(files),
    style.bold("Made from"),
    ...indent(sources),
    style.bold(
      `Made and measured by pipeline ${externalParameters.pipeline}, seed ${externalParameters.seed}`,
    ),
    ...indent(stages),
    "",
    ...signers.map((key) =>
      `${style.green("✓")} Signed by ${key}${isKeyGiven ? "" : "; whose key it is, --key says"}`
    ),
    ...(signers.length === 0
      ? [`${style.yellow("!")} Not signed: it says what was made, not by whom`]
      : []),
    ...faults.map((fault) => `${style.red("✗")} ${fault}`),
    ...(faults.length === 0
      ? [`${style.green("✓")} The files are those that ${shownPath(file)} speaks of`]
      : []),
  ];
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

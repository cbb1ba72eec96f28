/**
 * How to make the run again.
 *
 * @module
 */

import { shellWord } from "../../../base/shell_word.ts";
import { formatBytes } from "../../../base/units.ts";
import type { Report } from "../../document.ts";
import { folded, section, table } from "../parts.ts";
import { type Html, html } from "../template.ts";

/** Commands, versions, inputs and the pipeline's text. */
export function reproduceSection({ run, inputs }: Report): Html {
  return section(
    "reproduce",
    "Reproduce",
    html`<pre>${reproducingCommands(run).join("\n")}</pre>
<p class="note">${
      Object.entries(run.versions).map(([name, version]) => `${name} ${version}`).join(" · ")
    } · seed ${run.seed}</p>`,
    Object.keys(inputs).length > 0 && table(
      "Inputs",
      [{ title: "input" }, { title: "kind" }, { title: "size", align: "right" }, {
        title: "SHA-256",
      }],
      Object.entries(inputs).map(([name, { kind, size, digest }]) => [
        name,
        kind,
        formatBytes(size),
        html`<code>${digest}</code>`,
      ]),
    ),
    run.source !== undefined &&
      folded(html`<code>${run.file}</code>`, html`<pre>${run.source}</pre>`),
  );
}

/** The commands that make a run again, and a report of it. */
export function reproducingCommands({ id, file, settings }: Report["run"]): string[] {
  const set = settings.flatMap((setting) => ["--set", shellWord(setting)]);
  return [
    ["bitbound", "run", shellWord(file), ...set].join(" "),
    `bitbound report ${id} --out report.html`,
  ];
}

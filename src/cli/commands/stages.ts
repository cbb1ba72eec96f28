/**
 * `bitbound stages [NAME]`
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { didYouMean } from "../../base/suggest.ts";
import { padText, type Style, textWidth, wrapText } from "../../base/terminal_text.ts";
import { describeParameters } from "../../registry/describe.ts";
import type { AnyStage } from "../../registry/stage.ts";
import { allStages } from "../all_stages.ts";
import { ExitCode } from "../exit_code.ts";
import type { Streams } from "../output/streams.ts";

/** Its options. */
export interface StagesOptions {
  readonly name: string | undefined;
  readonly plugins: readonly string[];
  readonly json: boolean;
}

/** Lists the stages, or explains one. */
export async function stages(options: StagesOptions, { out }: Streams): Promise<ExitCode> {
  const all = await allStages(options.plugins);
  if (options.name === undefined) {
    if (options.json) {
      out.lines(JSON.stringify({ version: 1, stages: all.map(asJson) }, null, 2));
    } else out.lines(...listLines(all, out.style));
    return ExitCode.done;
  }
  const stage = all.find(({ name }) => name === options.name);
  if (stage === undefined) {
    const hint = didYouMean(options.name, all.map(({ name }) => name));
    throw new UserError({
      message: `There is no stage "${options.name}"`,
      ...(hint === undefined ? {} : { hint }),
    });
  }
  if (options.json) out.lines(JSON.stringify({ version: 1, stage: asJson(stage) }, null, 2));
  else out.lines(...stageLines(stage, out.style, Math.min(100, out.columns())));
  return ExitCode.done;
}

function asJson(stage: AnyStage): unknown {
  const { name, version, summary, description, parameters, inputs, outputs, metrics = {}, engine } =
    stage;
  return { name, version, summary, description, parameters, inputs, outputs, metrics, engine };
}

function listLines(all: readonly AnyStage[], style: Style): string[] {
  const width = Math.max(...all.map(({ name }) => textWidth(name)));
  return [
    ...all.map(({ name, summary }) => `${style.bold(padText(name, width))}  ${summary}`),
    "",
    `${style.cyan("→")} bitbound stages NAME explains one with all its parameters`,
  ];
}

function stageLines(stage: AnyStage, style: Style, width: number): string[] {
  const lines = [`${style.bold(stage.name)}: ${stage.summary}`, ""];
  for (const paragraph of stage.description.trim().split(/\n\s*\n/)) {
    lines.push(...wrapText(paragraph.replace(/\s*\n\s*/g, " ").trim(), width), "");
  }
  const inputs = Object.entries(stage.inputs).map(([name, port]): Row => {
    const kinds = port.kinds.join(" or ");
    return [
      name,
      port.optional === true || port.ignorable === true ? `${kinds}, optional` : kinds,
      port.description,
    ];
  });
  const outputs = Object.entries(stage.outputs)
    .map(([name, { kind, optional, description }]): Row => [
      name,
      optional === true ? `${kind}, optional` : kind,
      description,
    ]);
  const metrics = Object.entries(stage.metrics ?? {})
    .map(([name, { unit, description }]): Row => [name, unit, description]);
  lines.push(...section("Takes", inputs, style, width));
  lines.push(...section("Makes", outputs, style, width));
  lines.push(...section("Measures (for expect)", metrics, style, width));
  lines.push(style.bold("Parameters (with)"));
  const parameters = describeParameters(stage.parameters);
  if (parameters.length === 0) lines.push("  none");
  for (const { path, type, required, fallback, description } of parameters) {
    const rest = required ? ", required" : fallback === undefined ? "" : `, default ${fallback}`;
    lines.push(
      ...wrapText(`${path}: ${type}${rest}`, width - 2).map((line, index) =>
        index === 0 ? `  ${style.cyan(path)}${line.slice(path.length)}` : `      ${line}`
      ),
    );
    lines.push(...wrapText(description, width - 6).map((line) => `      ${line}`));
  }
  return lines;
}

type Row = readonly [name: string, what: string, description: string];

/** A titled list of names, what they are, and descriptions that wrap beside them. */
function section(
  title: string,
  rows: readonly Row[],
  style: Style,
  width: number,
): string[] {
  if (rows.length === 0) return [];
  const names = Math.max(...rows.map(([name]) => textWidth(name)));
  const whats = Math.max(...rows.map(([, what]) => textWidth(what)));
  const indent = names + whats + 6;
  const lines = rows.flatMap(([name, what, description]) => {
    const [first = "", ...rest] = wrapText(description, Math.max(30, width - indent));
    const start = `  ${style.cyan(padText(name, names))}  ${padText(what, whats)}  ${first}`;
    return [start.trimEnd(), ...rest.map((line) => " ".repeat(indent) + line)];
  });
  return [style.bold(title), ...lines, ""];
}

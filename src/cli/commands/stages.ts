/**
 * `bitbound stages [NAME]`
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { didYouMean } from "../../base/suggest.ts";
import { padText, type Style, textTable, textWidth, wrapText } from "../../base/terminal_text.ts";
import { describeParameters } from "../../registry/describe.ts";
import type { AnyStage } from "../../registry/stage.ts";
import { ExitCode } from "../exit_code.ts";
import type { Streams } from "../output/streams.ts";

/** Its options. */
export interface StagesOptions {
  readonly name: string | undefined;
  readonly json: boolean;
}

/** Lists the stages, or explains one. */
export async function stages(options: StagesOptions, { out }: Streams): Promise<ExitCode> {
  const { builtInStages } = await import("../../stages/mod.ts");
  if (options.name === undefined) {
    if (options.json) {
      out.lines(JSON.stringify({ version: 1, stages: builtInStages.map(asJson) }, null, 2));
    } else out.lines(...listLines(builtInStages, out.style));
    return ExitCode.done;
  }
  const stage = builtInStages.find(({ name }) => name === options.name);
  if (stage === undefined) {
    const hint = didYouMean(options.name, builtInStages.map(({ name }) => name));
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
  const inputs = Object.entries(stage.inputs).map(([name, port]) => [
    name,
    port.kinds.join(" or ") + (port.optional === true ? ", optional" : ""),
    port.description,
  ]);
  const outputs = Object.entries(stage.outputs).map((
    [name, { kind, description }],
  ) => [name, kind, description]);
  const metrics = Object.entries(stage.metrics ?? {}).map((
    [name, { unit, description }],
  ) => [name, unit, description]);
  lines.push(...section("Takes", ["input", "kind", ""], inputs, style));
  lines.push(...section("Makes", ["output", "kind", ""], outputs, style));
  lines.push(...section("Measures (for expect)", ["metric", "unit", ""], metrics, style));
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

function section(
  title: string,
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  style: Style,
): string[] {
  if (rows.length === 0) return [];
  const table = textTable(columns.map((column) => ({ title: column })), rows).slice(1);
  return [style.bold(title), ...table.map((line) => `  ${line}`), ""];
}

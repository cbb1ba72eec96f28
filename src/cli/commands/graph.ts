/**
 * `bitbound graph FILE`
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { makeStyle } from "../../base/terminal_text.ts";
import { ExitCode } from "../exit_code.ts";
import { graphLines, mermaidLines } from "../output/graph_text.ts";
import { graphSvg } from "../output/graph_svg.ts";
import { problemLines } from "../output/problems.ts";
import type { Streams } from "../output/streams.ts";

/** The forms that a graph can be had in. */
export const GRAPH_FORMATS = ["text", "mermaid", "svg", "json"] as const;

/** Its options. */
export interface GraphOptions {
  readonly file: string;
  readonly set: readonly string[];
  /** Told by the ending of `output` unless given. */
  readonly format: typeof GRAPH_FORMATS[number] | undefined;
  readonly output: string | undefined;
  /** Whether each item of a matrix is shown. */
  readonly items: boolean;
}

/** Shows which stage takes what from where. */
export async function graph(options: GraphOptions, { out, err }: Streams): Promise<ExitCode> {
  const { loadFile } = await import("../load_file.ts");
  const { graphOf } = await import("../../pipeline/graph.ts");
  const pipeline = await loadFile(options.file, options);
  err.lines(...problemLines(pipeline.warnings, err.style, err.columns(), "warning"));
  const made = graphOf(pipeline, { items: options.items });
  const format = options.format ?? formatOf(options.output);
  const isFile = options.output !== undefined;
  const text = {
    text: () => `${graphLines(made, isFile ? PLAIN : out.style).join("\n")}\n`,
    mermaid: () => `${mermaidLines(made).join("\n")}\n`,
    svg: () => graphSvg(made),
    json: () => `${JSON.stringify({ version: 1, ...made }, null, 2)}\n`,
  }[format]();
  if (options.output === undefined) out.write(text);
  else writeFile(options.output, text);
  return ExitCode.done;
}

const PLAIN = makeStyle(false);

function formatOf(output: string | undefined): typeof GRAPH_FORMATS[number] {
  if (output?.endsWith(".svg")) return "svg";
  if (output?.endsWith(".json")) return "json";
  if (output !== undefined && /\.(mmd|mermaid)$/.test(output)) return "mermaid";
  return "text";
}

function writeFile(path: string, text: string): void {
  try {
    Deno.writeTextFileSync(path, text);
  } catch (error) {
    throw new UserError({
      message: `Graph cannot be written to "${path}": ${(error as Error).message}`,
      hint: "Name a file in a folder that is there with --output",
    }, { cause: error });
  }
}

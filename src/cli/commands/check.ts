/**
 * `bitbound check FILE`
 *
 * @module
 */

import { ExitCode } from "../exit_code.ts";
import { problemLines, shownPath } from "../output/problems.ts";
import type { Streams } from "../output/streams.ts";

/** Its options. */
export interface CheckOptions {
  readonly file: string;
  readonly set: readonly string[];
  readonly json: boolean;
}

/** Checks a pipeline file without touching models or data. */
export async function check(options: CheckOptions, { out, err }: Streams): Promise<ExitCode> {
  const { loadFile } = await import("../load_file.ts");
  const pipeline = await loadFile(options.file, options);
  if (options.json) {
    const { name: pipelineName, file, stages, warnings } = pipeline;
    const ids = stages.map(({ id }) => id);
    const document = {
      version: 1,
      status: "valid",
      pipeline: pipelineName,
      file,
      stages: ids,
      warnings,
    };
    out.lines(JSON.stringify(document, null, 2));
    return ExitCode.done;
  }
  err.lines(...problemLines(pipeline.warnings, err.style, err.columns(), "warning"));
  const count = pipeline.stages.length;
  out.lines(
    `${out.style.green("✓")} ${shownPath(options.file)} is right: ${count} ${
      count === 1 ? "stage" : "stages"
    }`,
  );
  return ExitCode.done;
}

/**
 * `bitbound init MODEL`
 *
 * @module
 */

import { basename, dirname, extname, relative, resolve } from "../../base/path.ts";
import { UserError } from "../../base/errors.ts";
import { shellWord } from "../../base/shell_word.ts";
import { ExitCode } from "../exit_code.ts";
import { shownPath } from "../output/problems.ts";
import type { Streams } from "../output/streams.ts";
import type { StarterData } from "../../pipeline/starter.ts";

/** Its options. */
export interface InitOptions {
  readonly model: string;
  readonly data: string | undefined;
  readonly output: string | undefined;
}

/** Writes a pipeline that works for a model. */
export async function init(options: InitOptions, { out }: Streams): Promise<ExitCode> {
  const { readModel } = await import("../../onnx/read.ts");
  const { starterPipeline } = await import("../../pipeline/starter.ts");
  const model = await readModel(options.model);
  const output = resolve(
    options.output ?? `${basename(options.model, extname(options.model))}.yaml`,
  );
  const from = (path: string) => relative(dirname(output), resolve(path)).replaceAll("\\", "/");
  const data = options.data === undefined ? undefined : await dataOf(options.data, from);
  const text = starterPipeline({
    model,
    modelName: options.model,
    modelPath: from(options.model),
    ...(data !== undefined && { data }),
  });
  write(output, text);
  const { loadPipeline } = await import("../../pipeline/load.ts");
  const { stages } = await loadPipeline(output);
  out.lines(
    `${out.style.green("✓")} ${shownPath(output)} has ${stages.length} stages for ${options.model}`,
    ...(data === undefined ? ["  It works on random numbers: put your own data under inputs"] : []),
    `${out.style.cyan("→")} bitbound run ${shellWord(shownPath(output))}`,
  );
  return ExitCode.done;
}

const FORMATS: Readonly<Record<string, StarterData["format"]>> = {
  ".npy": "npy",
  ".npz": "npz",
  ".csv": "csv",
};

async function dataOf(path: string, from: (path: string) => string): Promise<StarterData> {
  const found = await Deno.stat(path).catch(() => undefined);
  if (found === undefined) {
    throw new UserError({
      message: `Data "${path}" does not exist`,
      hint: "Name a folder of pictures, or a .npy, .npz or .csv file, with --data",
    });
  }
  const format = found.isDirectory ? "images" : FORMATS[extname(path).toLowerCase()];
  if (format !== undefined) return { path: from(path), format };
  throw new UserError({
    message: `Data "${path}" is neither a folder of pictures nor a .npy, .npz or .csv file`,
    hint: "Leave out --data, and name other data under inputs: docs/data.md has all formats",
  });
}

/** A file that is there is somebody's work. */
function write(path: string, text: string): void {
  try {
    Deno.writeTextFileSync(path, text, { createNew: true });
  } catch (error) {
    throw new UserError({
      message: error instanceof Deno.errors.AlreadyExists
        ? `"${shownPath(path)}" is there already`
        : `"${shownPath(path)}" cannot be written: ${(error as Error).message}`,
      hint: "Choose another file with --output",
    }, { cause: error });
  }
}

/**
 * `bitbound keys new FILE`, `bitbound keys show FILE`
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { shellWord } from "../../base/shell_word.ts";
import { SigningKey } from "../../base/signature.ts";
import { ExitCode } from "../exit_code.ts";
import { shownPath } from "../output/problems.ts";
import type { Streams } from "../output/streams.ts";
import { readKeyFile } from "../signing_key.ts";

/** Their options. */
export interface KeyOptions {
  readonly file: string;
}

/** Makes a private key. */
export async function newKey({ file }: KeyOptions, { out, err }: Streams): Promise<ExitCode> {
  const key = SigningKey.generate();
  try {
    await Deno.writeTextFile(file, key.toPem(), { createNew: true, mode: 0o600 });
  } catch (error) {
    const isThere = error instanceof Deno.errors.AlreadyExists;
    throw new UserError({
      message: isThere
        ? `"${file}" is there already`
        : `Key "${file}" cannot be written: ${(error as Error).message}`,
      hint: isThere
        ? "Name another file: a key that is lost cannot be made again"
        : "Name a file in a folder that is there",
    }, { cause: error });
  }
  err.lines(
    `${err.style.green("✓")} The private key is in ${
      shownPath(file)
    }: keep it secret, and out of version control`,
    `${err.style.cyan("→")} bitbound run FILE --sign ${
      shellWord(shownPath(file))
    } signs; the public key is`,
  );
  out.lines(key.publicKey);
  return ExitCode.done;
}

/** Prints the public key of a private one. */
export async function showKey({ file }: KeyOptions, { out }: Streams): Promise<ExitCode> {
  out.lines(SigningKey.parse(await readKeyFile(file), `"${file}"`).publicKey);
  return ExitCode.done;
}

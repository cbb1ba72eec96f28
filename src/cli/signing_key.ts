/**
 * The private key that a run signs with.
 *
 * @module
 */

import { UserError } from "../base/errors.ts";
import { importLater } from "../base/import_later.ts";
import type { SigningKey } from "../base/signature.ts";
import { variable } from "./environment.ts";

const VARIABLE = "BITBOUND_SIGNING_KEY";

/**
 * The key in the file that `--sign` names; else the one that `BITBOUND_SIGNING_KEY` holds as text; else none.
 *
 * @throws {UserError} If it is none.
 */
export async function signingKey(file: string | undefined): Promise<SigningKey | undefined> {
  const text = file === undefined ? variable(VARIABLE) : await readKeyFile(file);
  if (text === undefined) return undefined;
  const { SigningKey } = await importLater<typeof import("../base/signature.ts")>(
    import.meta.resolve("../base/signature.ts"),
  );
  return SigningKey.parse(text, file === undefined ? VARIABLE : `"${file}"`);
}

/**
 * The text of a key's file.
 *
 * @throws {UserError} If it cannot be read.
 */
export async function readKeyFile(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    throw new UserError({
      message: `Key "${file}" cannot be read: ${(error as Error).message}`,
      hint: "Make one with: bitbound keys new FILE",
    }, { cause: error });
  }
}

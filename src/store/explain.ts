/**
 * Turns what the operating system says about a store's folder into what a user can do.
 *
 * @module
 */

import { UserError } from "../base/errors.ts";

/** A store that cannot be used: the disk is full, it may not be written, or something else holds it. */
export class StoreError extends UserError {}

const FULL = new Set(["ENOSPC", "EDQUOT"]);
const FORBIDDEN = new Set(["EROFS", "EACCES", "EPERM"]);
const NO_LOCKS = new Set(["ENOLCK", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);
const NOT_A_FOLDER = new Set(["ENOTDIR", "EEXIST"]);

/** The error to throw when writing into the store at `root` failed. */
export function explainWrite(error: unknown, root: string): unknown {
  if (error instanceof UserError || !(error instanceof Error)) return error;
  const code = (error as { code?: unknown }).code;
  if (typeof code === "string" && FULL.has(code)) {
    return new StoreError({
      message: `No space left for the store "${root}"`,
      hint:
        "Free some space, delete old results with `bitbound cache gc --keep-runs 3`, or choose another folder with --store; nothing half-written was left",
    }, { cause: error });
  }
  if (error instanceof Deno.errors.NotCapable) {
    return new StoreError({
      message: `Deno may not write to the store "${root}"`,
      hint: `Run deno with --allow-read and --allow-write for this folder`,
    }, { cause: error });
  }
  if (
    (typeof code === "string" && FORBIDDEN.has(code)) ||
    error instanceof Deno.errors.PermissionDenied
  ) {
    return new StoreError({
      message: `Store "${root}" is not writable`,
      hint: "Choose another folder with --store, or change its permissions",
    }, { cause: error });
  }
  if (typeof code === "string" && NO_LOCKS.has(code)) {
    return new StoreError({
      message: `The file system of the store "${root}" has no locks`,
      hint: "Choose a folder on a local disk with --store",
    }, { cause: error });
  }
  if (typeof code === "string" && NOT_A_FOLDER.has(code)) {
    return new StoreError({
      message: `Store "${root}" is not a folder`,
      hint: "Choose another folder with --store",
    }, { cause: error });
  }
  return error;
}

/**
 * The error of a run that may not change its lock file.
 *
 * @module
 */

import { UserError } from "../base/errors.ts";

/** A run would give, or gave, something else than the lock file says. */
export class LockError extends UserError {}

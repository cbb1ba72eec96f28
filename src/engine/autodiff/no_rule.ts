/**
 * An operator that gradients cannot pass.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import type { Node } from "../../onnx/model.ts";
import { RULES } from "./rules/table.ts";

/** A node whose operator has no gradient rule. */
export class NoRuleError extends UserError {
  constructor({ domain, opType, name }: Node) {
    super({
      message: `Operator ${
        domain === "" ? "" : `${domain}.`
      }${opType} of node "${name}" has no gradient rule`,
      hint: `Operators with a rule: ${Object.keys(RULES).sort().join(", ")}`,
    });
  }
}

/**
 * A {@linkcode NoRuleError} in terms of what was to be done; any other error as it is.
 *
 * @param failure What cannot be done, as the start of a sentence.
 * @param hint What helps.
 */
export function withoutGradient(error: unknown, failure: string, hint: string): unknown {
  if (!(error instanceof NoRuleError)) return error;
  return new UserError({ message: `${failure}: ${error.message}`, hint }, { cause: error });
}

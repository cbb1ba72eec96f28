/**
 * All operators that the checker knows, by their ONNX names.
 *
 * @module
 */

import { ACTIVATIONS } from "./activations.ts";
import type { Rule } from "./common.ts";
import { LINEAR } from "./linear.ts";
import { MOVES } from "./moves.ts";
import { QUANTIZERS } from "./quantizers.ts";
import { WINDOWS } from "./windows.ts";

/** The rules. */
export const OPERATORS: Readonly<Record<string, Rule>> = {
  ...ACTIVATIONS,
  ...LINEAR,
  ...MOVES,
  ...QUANTIZERS,
  ...WINDOWS,
};

/**
 * All gradient rules, by ONNX operator name.
 *
 * @module
 */

import type { RuleTable } from "../rule.ts";
import { ACTIVATION } from "./activation.ts";
import { ARITHMETIC } from "./arithmetic.ts";
import { CONV } from "./conv.ts";
import { INDEXING } from "./indexing.ts";
import { LAYOUT } from "./layout.ts";
import { LINEAR } from "./linear.ts";
import { NORMALIZATION } from "./normalization.ts";
import { POOL } from "./pool.ts";
import { QUANTIZATION } from "./quantization.ts";
import { REDUCTION } from "./reduction.ts";
import { SOFTMAX } from "./softmax.ts";

/** Every operator that can be differentiated. */
export const RULES: RuleTable = {
  ...ACTIVATION,
  ...ARITHMETIC,
  ...CONV,
  ...INDEXING,
  ...LAYOUT,
  ...LINEAR,
  ...NORMALIZATION,
  ...POOL,
  ...QUANTIZATION,
  ...REDUCTION,
  ...SOFTMAX,
};

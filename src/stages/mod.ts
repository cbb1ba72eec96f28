/**
 * The stages that come with Bitbound, in the order of a typical pipeline.
 *
 * @module
 */

import type { AnyStage } from "../registry/stage.ts";
import { calibrate } from "./calibrate/mod.ts";
import { compare } from "./compare/mod.ts";
import { correctBias } from "./correct_bias/mod.ts";
import { equalize } from "./equalize/mod.ts";
import { evaluate } from "./evaluate/mod.ts";
import { exportStage } from "./export/mod.ts";
import { finetune } from "./finetune/mod.ts";
import { prepare } from "./prepare/mod.ts";
import { profile } from "./profile/mod.ts";
import { pruneChannels } from "./prune_channels/mod.ts";
import { quantize } from "./quantize/mod.ts";
import { reconstruct } from "./reconstruct/mod.ts";
import { search } from "./search/mod.ts";
import { sensitivity } from "./sensitivity/mod.ts";
import { synthesize } from "./synthesize/mod.ts";
import { train } from "./train/mod.ts";
import { verify } from "./verify/mod.ts";

/** One line a stage. */
const stages = [
  train,
  prepare,
  pruneChannels,
  equalize,
  synthesize,
  calibrate,
  profile,
  sensitivity,
  search,
  quantize,
  correctBias,
  reconstruct,
  finetune,
  evaluate,
  compare,
  verify,
  exportStage,
] as const;

/** The stages that come with Bitbound. */
export const builtInStages: readonly AnyStage[] = stages;

/** The definition of one of them. */
export type BuiltInStage = typeof stages[number];

/**
 * What several commands take.
 *
 * @module
 */

import { argument, flag, option, options } from "./syntax.ts";
import { path, text } from "./values.ts";

/** What pipeline files end in. */
export const YAML = [".yaml", ".yml"];

export const file = argument(path("FILE", YAML), "A pipeline, such as pipelines/digits.yaml");

export const json = flag("--json", "Print one JSON document instead of text");

export const store = option(
  "--store",
  path("DIR"),
  "The folder of cached results; else BITBOUND_STORE, else the nearest .bitbound",
);

export const set = options(
  "--set",
  text("PATH=VALUE"),
  "Change a value of the file, such as w4.with.weights.bits=3; may be repeated",
);

/**
 * Values of options that Optique has no parser for.
 *
 * @module
 */

import { message } from "@optique/core/message";
import type { ValueParser } from "@optique/core/valueparser";

/** A path, completed by the shell. */
export function path(
  metavar: "FILE" | "DIR",
  extensions?: readonly string[],
): ValueParser<"sync", string> {
  return {
    mode: "sync",
    metavar,
    placeholder: "",
    parse: (input) =>
      input === ""
        ? { success: false, error: message`The path must not be empty.` }
        : { success: true, value: input },
    format: (value) => value,
    *suggest(prefix) {
      yield {
        kind: "file",
        pattern: prefix,
        type: metavar === "DIR" ? "directory" : "file",
        ...(extensions === undefined ? {} : { extensions }),
      };
    },
  };
}

const MILLISECONDS = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** A length of time such as `14d`, in milliseconds. */
export function duration(): ValueParser<"sync", number> {
  return {
    mode: "sync",
    metavar: "TIME",
    placeholder: 0,
    parse(input) {
      const found = input.match(/^(\d+(?:\.\d+)?)([mhdw])$/);
      if (found === null) {
        return {
          success: false,
          error: message`Expected a time such as ${"14d"}, ${"12h"} or ${"30m"}, but got ${input}.`,
        };
      }
      return {
        success: true,
        value: Number(found[1]) * MILLISECONDS[found[2] as keyof typeof MILLISECONDS],
      };
    },
    format: (value) => `${value / MILLISECONDS.d}d`,
  };
}

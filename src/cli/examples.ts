/**
 * The examples under each command's help.
 *
 * @module
 */

import type { Style } from "../base/terminal_text.ts";
import { PROGRAM } from "../base/version.ts";

/** By command; the empty name is the program's own help. */
const EXAMPLES: Readonly<Record<string, readonly (readonly [meaning: string, call: string])[]>> = {
  "": [
    ["quantize a digit classifier to 8 and to 4 bits", "run pipelines/digits.yaml"],
    ["is my own pipeline right?", "check my.yaml"],
    ["what can this stage do?", "stages quantize"],
    ["more about a command", "run --help"],
  ],
  "run": [
    ["run it; a second time everything is cached", "run pipelines/digits.yaml"],
    ["try another setting", "run pipelines/digits.yaml --set w4.with.weights.bits=3"],
    ["for scripts", "run pipelines/digits.yaml --json > results.json"],
  ],
  "check": [["each problem with its place and what mends it", "check my.yaml"]],
  "plan": [
    ["what would run now, and why", "plan pipelines/digits.yaml"],
    ["and with another setting", "plan pipelines/digits.yaml --set seed=1"],
  ],
  "stages": [["all stages", "stages"], ["one, with its parameters", "stages quantize"]],
  "units": [["block by block", "units model.onnx"], [
    "layer by layer",
    "units model.onnx --unit layer",
  ]],
  "cache": [["what is there", "cache ls"], ["make room", "cache gc --keep-runs 3"]],
  "cache ls": [["what is there", "cache ls"]],
  "cache verify": [["after a crash or a disk error", "cache verify"]],
  "cache gc": [
    ["what would be deleted", "cache gc --keep-runs 3 --dry-run"],
    ["delete what was not used for two weeks", "cache gc --older-than 14d"],
  ],
};

/** The lines of examples for a command line that asks for help. */
export function exampleLines(args: readonly string[], style: Style): string[] {
  const words = args.slice(0, args.findIndex((each) => each.startsWith("-")));
  const name = words.slice(0, words[0] === "cache" ? 2 : 1).join(" ");
  const examples = EXAMPLES[name];
  if (examples === undefined) return [];
  return [
    "Examples:",
    ...examples.flatMap(([meaning, call]) => [
      style.dim(`  # ${meaning}`),
      `  ${PROGRAM} ${call}`,
    ]),
  ];
}

/**
 * The examples under each command's help.
 *
 * @module
 */

import type { Style } from "../base/terminal_text.ts";
import { PROGRAM } from "../base/version.ts";
import { commands } from "./grammar.ts";
import { type Example, isGroup } from "./grammar/syntax.ts";

/** Of the program's own help. */
const FIRST_STEPS: readonly Example[] = [
  ["quantize a digit classifier to 8 and to 4 bits", "run pipelines/digits.yaml"],
  ["a pipeline for my own model", "init model.onnx"],
  ["is it right?", "check model.yaml"],
  ["which stages are there?", "stages"],
  ["what can this one do?", "stages verify"],
  ["more about a command", "run --help"],
];

/** The lines of examples for a command line that asks for help. */
export function exampleLines(args: readonly string[], style: Style): string[] {
  const examples = examplesFor(args.slice(0, args.findIndex((each) => each.startsWith("-"))));
  if (examples === undefined) return [];
  return [
    "Examples:",
    ...examples.flatMap(([meaning, call]) => [
      style.dim(`  # ${meaning}`),
      `  ${PROGRAM} ${call}`,
    ]),
  ];
}

function examplesFor([first, second]: readonly string[]): readonly Example[] | undefined {
  if (first === undefined) return FIRST_STEPS;
  const entry = commands.find(({ name }) => name === first);
  const inside = entry !== undefined && isGroup(entry)
    ? entry.commands.find(({ name }) => name === second)
    : undefined;
  return (inside ?? entry)?.examples;
}

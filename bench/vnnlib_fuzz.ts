/**
 * Throws random properties at the VNN-LIB reader: right ones have to give their boxes, damaged ones an error with a place.
 *
 *     deno run -A bench/vnnlib_fuzz.ts --cases 100000
 *
 * Ends with code 1 at the first case that does neither, and prints it.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { UserError } from "../src/base/errors.ts";
import { Random } from "../src/base/random.ts";
import { parseVnnlib } from "../src/verify/vnnlib/property.ts";

const { values: options } = parseArgs({
  options: {
    cases: { type: "string", default: "100000" },
    seed: { type: "string", default: "0" },
  },
});

/** A text, and the sides of its boxes. */
interface Case {
  readonly text: string;
  readonly boxes: readonly (readonly (readonly [number, number])[])[];
}

/** A number that decimal text holds exactly. */
function exact(random: Random): number {
  return (random.integer(4001) - 2000) / 2 ** random.integer(12);
}

function written(random: Random, value: number): string {
  switch (random.integer(4)) {
    case 0:
      return value.toExponential();
    case 1:
      return `${value < 0 ? "-" : "+"}${Math.abs(value)}`;
    case 2:
      return `${value}`.replace(/^(-?)0\./, "$1.");
    default:
      return `${value}`;
  }
}

/** A property of random shape: bounds apart or in conjunctions, swapped or not, one box or a union, outputs besides. */
function made(random: Random): Case {
  const inputs = 1 + random.integer(5);
  const count = random.integer(3) === 0 ? 2 + random.integer(3) : 1;
  const space = () => [" ", "\n", "  ", "\t", " ; (a comment\n", "\r\n"][random.integer(6)]!;
  const boxes = Array.from({ length: count }, () =>
    Array.from({ length: inputs }, () => {
      const [a, b] = [exact(random), exact(random)];
      return [Math.min(a, b), Math.max(a, b)] as const;
    }));
  const bound = (input: number, [low, high]: readonly [number, number]) => {
    const lower = written(random, low), upper = written(random, high);
    return random.integer(2) === 0
      ? [`(>= X_${input}${space()}${lower})`, `(<= X_${input} ${upper})`]
      : [`(<=${space()}${lower} X_${input})`, `(>= ${upper} X_${input})`];
  };
  const lines = [
    ...Array.from({ length: inputs }, (_, at) => `(declare-const X_${at} Real)`),
    "(declare-const Y_0 Real)",
  ];
  if (count > 1) {
    const terms = boxes.map((sides) =>
      `(and ${sides.flatMap((each, at) => bound(at, each)).join(space())})`
    );
    lines.push(`(assert (or ${terms.join(space())}))`);
  } else if (random.integer(2) === 0) {
    lines.push(`(assert (and ${boxes[0]!.flatMap((each, at) => bound(at, each)).join(space())}))`);
  } else {
    boxes[0]!.forEach((each, at) => {
      for (const part of bound(at, each)) lines.push(`(assert${space()}${part})`);
    });
  }
  if (random.integer(2) === 0) lines.push(`(assert (>= Y_0 ${written(random, exact(random))}))`);
  return { text: lines.join(space() + "\n"), boxes };
}

const PIECES = [
  "(",
  ")",
  "and",
  "or",
  "assert",
  "X_9",
  "Y_0",
  "X_",
  "1e999",
  "-",
  "not",
  ";",
  '"',
  "=",
  "\0",
  "∞",
  "1.2.3",
];

/** The text with a few characters or pieces taken out, put in, doubled or moved. */
function damaged(random: Random, text: string): string {
  let result = text;
  for (let step = 1 + random.integer(3); step > 0; step--) {
    const at = random.integer(result.length + 1);
    const to = Math.min(result.length, at + random.integer(8));
    const piece = PIECES[random.integer(PIECES.length)]!;
    switch (random.integer(4)) {
      case 0:
        result = result.slice(0, at) + result.slice(to);
        break;
      case 1:
        result = result.slice(0, at) + piece + result.slice(at);
        break;
      case 2:
        result = result.slice(0, to) + result.slice(at);
        break;
      default:
        result = result.slice(0, at);
    }
  }
  return result;
}

function fail(text: string, why: string): never {
  console.error(`${why}:\n${text}`);
  Deno.exit(1);
}

const random = Random.from(Number(options.seed), "vnnlib");
const cases = Number(options.cases);
let [right, refused, read] = [0, 0, 0];
for (let at = 0; at < cases; at++) {
  const { text, boxes } = made(random);
  if (at % 2 === 0) {
    const found = parseVnnlib(text, "p.vnnlib").boxes
      .map(({ lower, upper }) => [...lower].map((low, side) => [low, upper[side]]));
    // An order of boxes, and of −0 and 0, means nothing.
    const plain = (sides: unknown) => JSON.stringify(sides);
    const expected = boxes.map((sides) => sides.map(([low, high]) => [low, high]));
    const same = plain(found.map(plain).sort()) === plain(expected.map(plain).sort());
    if (!same) fail(text, `Read as ${plain(found)} instead of ${plain(expected)}`);
    right++;
    continue;
  }
  const broken = damaged(random, text);
  try {
    for (const { lower, upper } of parseVnnlib(broken, "p.vnnlib").boxes) {
      const wrong = lower.some((low, side) => !(low <= upper[side]!));
      if (wrong) fail(broken, "A box is inverted or no numbers");
    }
    read++;
  } catch (error) {
    if (!(error instanceof UserError)) fail(broken, `Not an error of the user: ${error}`);
    const lines = broken.split("\n");
    for (const { message, place } of error.problems) {
      const line = place?.line, column = place?.column;
      const isInside = line !== undefined && column !== undefined && line >= 1 &&
        line <= lines.length + 1 && column >= 1 && column <= (lines[line - 1]?.length ?? 0) + 2;
      if (!isInside) fail(broken, `No place: ${message} at ${line}:${column}`);
    }
    refused++;
  }
}
console.log(
  `${cases} cases: ${right} right ones gave their boxes; of the damaged ones ${refused} were refused ` +
    `with a place, ${read} were still properties`,
);

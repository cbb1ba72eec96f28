import assert from "node:assert/strict";
import fc from "fast-check";
import { UserError } from "../../../src/base/errors.ts";
import { contains } from "../../../src/verify/box.ts";
import { parseVnnlib } from "../../../src/verify/vnnlib/property.ts";
import { sharedData, testWithSharedData } from "../../shared_data.ts";

const TWO = "(declare-const X_0 Real)\n(declare-const X_1 Real)\n(declare-const Y_0 Real)\n";
const FIRST = "(assert (>= X_0 -1))(assert (<= X_0 1))\n";
const SECOND = "(assert (>= X_1 0.5))(assert (<= X_1 2.5e-0))\n";

function sides(text: string): number[][][] {
  return parseVnnlib(text, "p.vnnlib").boxes.map(({ lower, upper }) => [[...lower], [...upper]]);
}

function refuses(text: string, message: RegExp, place?: { line: number; column: number }): void {
  assert.throws(() => parseVnnlib(text, "p.vnnlib"), (error) => {
    assert.ok(error instanceof UserError, String(error));
    const [problem] = error.problems;
    assert.match(problem!.message, message);
    assert.equal(problem!.place?.file, "p.vnnlib");
    if (place !== undefined) {
      const { line, column } = problem!.place!;
      assert.deepEqual({ line, column }, place);
    }
    return true;
  });
}

Deno.test("bounds of single inputs make a box", () => {
  assert.deepEqual(sides(TWO + FIRST + SECOND), [[[-1, 0.5], [1, 2.5]]]);
  const swapped = "(assert (<= -1 X_0))(assert (>= 1 X_0)) ; a comment\r\n";
  assert.deepEqual(sides(TWO + swapped + SECOND), [[[-1, 0.5], [1, 2.5]]]);
});

Deno.test("the tightest of several bounds counts", () => {
  const more = "(assert (and (<= X_0 3) (<= X_0 .25) (>= X_0 -7)))";
  assert.deepEqual(sides(TWO + FIRST + more + SECOND), [[[-1, 0.5], [0.25, 2.5]]]);
});

Deno.test("old declarations and numbers in all their forms are read", () => {
  const text = "(declare-fun X_0 () Real)(assert (and (>= X_0 -1.5E+1) (<= X_0 +0.5e-3)))";
  assert.deepEqual(sides(text), [[[-15], [0.0005]]]);
});

Deno.test("or of boxes is their union; other bounds narrow each", () => {
  const union = "(assert (or (and (>= X_1 0) (<= X_1 1)) (and (>= X_1 2) (<= X_1 3))))";
  assert.deepEqual(sides(TWO + FIRST + union), [[[-1, 0], [1, 1]], [[-1, 2], [1, 3]]]);
  const narrowed = union + "(assert (<= X_1 1.5))";
  assert.deepEqual(sides(TWO + FIRST + narrowed), [[[-1, 0], [1, 1]]]);
});

Deno.test("what is said of outputs is kept and narrows nothing", () => {
  const { boxes, outputConstraints, outputs } = parseVnnlib(
    `${TWO}${FIRST}${SECOND}(assert (or (and (<= Y_0 0.5) (>= X_0 0)) (and (>= Y_0 7))))`,
    "p",
  );
  assert.equal(outputs, 1);
  assert.equal(outputConstraints.length, 1);
  // The second disjunct allows every input, so the first narrows nothing.
  assert.deepEqual([...boxes[0]!.lower], [-1, 0.5]);
});

Deno.test("decimal numbers are rounded outward", () => {
  // 0.1 is below its nearest float64, 0.3 above it: 0.1 = 0x1.999999999999ap-4, 0.3 = 0x1.3333333333333p-2.
  const of = (low: string, high: string) =>
    sides(`(declare-const X_0 Real)(assert (>= X_0 ${low}))(assert (<= X_0 ${high}))`)[0]!;
  assert.deepEqual(of("0.1", "0.1"), [[0.1 - 2 ** -56], [0.1]]);
  assert.deepEqual(of("0.3", "0.3"), [[0.3], [0.3 + 2 ** -54]]);
  assert.deepEqual(of("-0.1", "-0.1"), [[-0.1], [-0.1 + 2 ** -56]]);
  assert.deepEqual(of("0.5", "5e-1"), [[0.5], [0.5]]);
  assert.deepEqual(of("-1e-999", "1e-999"), [[-5e-324], [5e-324]]);
  assert.deepEqual(of("0e999", "0.0"), [[0], [0]]);
});

Deno.test("the sides enclose the decimal numbers, as exact fractions say", () => {
  // Below 1, every float64 that is no subnormal is a multiple of 2^-1074, and 2^1074 is 2^1000 · 2^74.
  const scaled = (value: number) => BigInt(value * 2 ** 1000) << 74n;
  fc.assert(fc.property(fc.integer({ min: -9999999, max: 9999999 }), (digits) => {
    const text = `${digits < 0 ? "-" : ""}0.${String(Math.abs(digits)).padStart(7, "0")}`;
    const [[low], [high]] = sides(
      `(declare-const X_0 Real)(assert (>= X_0 ${text}))(assert (<= X_0 ${text}))`,
    )[0]! as [[number], [number]];
    const exact = BigInt(digits) << 1074n;
    const [below, above] = [scaled(low) * 10000000n, scaled(high) * 10000000n];
    assert.ok(below <= exact && exact <= above);
    assert.ok(high - low <= Math.abs(low) * 2 ** -52);
  }));
});

Deno.test("malformed text is answered with line and column", () => {
  refuses(`${TWO}(assert (<= X_0 1)`, /never closed/, { line: 4, column: 1 });
  refuses(`${TWO}(assert (<= X_0 1)))`, /Nothing is open/, { line: 4, column: 20 });
  refuses(`${TWO}(assert (<= X_0 1..5))`, /not a number/, { line: 4, column: 17 });
  refuses(`${TWO}(assert (<= X_9 1))`, /"X_9" is not declared/, { line: 4, column: 13 });
  refuses(`${TWO}(assert (< X_0 1))`, /"<" is no operator/, { line: 4, column: 10 });
  refuses(`${TWO}(assert (<= X_0 1 2))`, /compares two: it has 3/);
  refuses(`${TWO}(assert (<= X_0 1e999))`, /beyond the range/);
  refuses(`${TWO}(assert)`, /takes one formula/);
  refuses(`${TWO}(check-sat)`, /"check-sat" is no command/, { line: 4, column: 2 });
  refuses(`${TWO}hello`, /outside of parentheses/);
  refuses(`${TWO}(assert (and))`, /at least one formula/);
  refuses(`${TWO}(assert "x")`, /is not expected/);
  refuses(`(declare-const X_0 Int)`, /must be Real/, { line: 1, column: 20 });
  refuses(`(declare-const Z Real)`, /not named like/);
  refuses(`(declare-const X_1 Real)`, /"X_0" is not/);
  refuses(`(declare-const X_0 Real)(declare-const X_0 Real)`, /declared twice/);
  refuses("", /declares no inputs/);
  refuses("(".repeat(100000), /nested more than/);
});

Deno.test("a property that is no box says what is supported", () => {
  refuses(`${TWO}(assert (<= X_0 X_1))`, /not a box: it compares "X_0" and "X_1"/);
  refuses(`${TWO}(assert (<= X_0 Y_0))`, /not a box/);
  refuses(`${TWO}(assert (<= (+ X_0 X_1) 1))`, /neither a variable nor a number/);
  refuses(`${TWO}(assert (<= 0 1))`, /two numbers/);
  try {
    parseVnnlib(`${TWO}(assert (<= X_0 X_1))`, "p");
  } catch (error) {
    assert.match((error as UserError).problems[0]!.hint!, /Supported are/);
  }
});

Deno.test("missing bounds and empty boxes are errors", () => {
  refuses(TWO + FIRST, /"X_1" has no lower bound/);
  refuses(`${TWO}${FIRST}(assert (>= X_1 0))`, /"X_1" has no upper bound/);
  refuses(
    `${TWO}${FIRST}(assert (>= X_1 2))\n(assert (<= X_1 1.5))`,
    /empty: "X_1" must be at least 2 here, and at most 1.5 in line 6/,
    { line: 5, column: 17 },
  );
});

Deno.test("conjunctions of many choices are limited", () => {
  const choice = "(assert (or (<= X_0 1) (<= X_0 2)))";
  refuses(TWO + choice.repeat(20), /more than 10000 boxes/);
});

Deno.test("whatever the text, the answer is boxes or a UserError", () => {
  const pieces = fc.constantFrom(
    ...[
      "(",
      ")",
      "(assert ",
      "(<= ",
      "(>= ",
      "(and ",
      "(or ",
      "X_0 ",
      "X_1 ",
      "Y_0 ",
      "1 ",
      "-2.5e3 ",
    ],
    ...[
      "(declare-const X_0 Real)",
      "(declare-const Y_0 Real)",
      "; c\n",
      "\n",
      "\u0000",
      '"',
      "1e400 ",
    ],
  );
  const texts = fc.oneof(
    fc.array(pieces, { maxLength: 40 }).map((all) => all.join("")),
    fc.string(),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        parseVnnlib(text, "p");
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
      }
    }),
    { numRuns: 2000 },
  );
});

testWithSharedData("every published property is read", "verify", (folder) => {
  const counts: Record<string, number> = {};
  for (const { name: group, isDirectory } of Deno.readDirSync(folder)) {
    if (!isDirectory) continue;
    for (const { name } of Deno.readDirSync(`${folder}/${group}`)) {
      if (!name.endsWith(".vnnlib")) continue;
      const path = `${folder}/${group}/${name}`;
      const { inputs, boxes, outputConstraints } = parseVnnlib(Deno.readTextFileSync(path), path);
      const expected = /acas/.test(group) ? 5 : /mnist|pool/.test(group + name) ? 784 : 3072;
      assert.equal(inputs, expected, path);
      assert.equal(boxes.length, name === "prop_6.vnnlib" ? 2 : 1, path);
      assert.ok(outputConstraints.length > 0, path);
      counts[group] = (counts[group] ?? 0) + 1;
    }
  }
  assert.deepEqual(counts, { acasxu: 10, cifar10_resnet: 6, conv: 9, mnistfc: 10 });
});

Deno.test({
  name: "property 3 of ACAS Xu is the normalized box of its paper",
  ignore: sharedData("verify/acasxu/prop_3.vnnlib") === undefined,
  fn() {
    const path = sharedData("verify/acasxu/prop_3.vnnlib")!;
    const [box] = parseVnnlib(Deno.readTextFileSync(path), path).boxes;
    const raw = {
      means: [19791.091, 0, 0, 650, 600],
      ranges: [60261, 6.28318530718, 6.28318530718, 1100, 1200],
    };
    const corner = [1500, -0.06, 3.1, 980, 960].map((x, at) =>
      (x - raw.means[at]!) / raw.ranges[at]!
    );
    for (const [at, value] of corner.entries()) {
      assert.ok(Math.abs(box!.lower[at]! - value) < 2e-9, `${at}`);
    }
    assert.ok(contains(box!, box!.lower) && !contains(box!, [0, 0, 0, 0, 0]));
  },
});

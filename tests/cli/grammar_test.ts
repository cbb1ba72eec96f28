import assert from "node:assert/strict";
import fc from "fast-check";
import { parse } from "@optique/core/parser";
import { commands } from "../../src/cli/grammar.ts";
import { parserOf } from "../../src/cli/grammar/optique.ts";
import { readRight } from "../../src/cli/grammar/read.ts";
import {
  type Action,
  argument,
  command,
  type CommandGroup,
  flag,
  isGroup,
  option,
  optionalArgument,
  options,
  someArguments,
} from "../../src/cli/grammar/syntax.ts";
import { bytes, choice, duration, integer, path, text } from "../../src/cli/grammar/values.ts";

let got: unknown;

function keep(name: string): (values: unknown) => Action {
  return (values) => {
    got = { name, values };
    return () => Promise.resolve(0);
  };
}

const facts = { brief: "", description: "", examples: [] } as const;
const one = command({
  ...facts,
  name: "one",
  takes: {
    file: argument(path("FILE"), ""),
    second: optionalArgument(text("NAME"), ""),
    loud: flag("-l --loud", ""),
    jobs: option("-j --jobs", integer("N", 1), ""),
    set: options("--set", text("X=Y"), ""),
    size: option("--size", choice("SIZE", ["s", "m"]), ""),
  },
  action: keep("one"),
});
const some = command({
  ...facts,
  name: "some",
  takes: { names: someArguments(text("NAME"), ""), deep: flag("--deep", "") },
  action: keep("some"),
});
const group: CommandGroup = { ...facts, name: "group", commands: [some] };
const grammar = [one, some, group];
const optique = parserOf(grammar);

/** What each of the two readers makes of a command line; `undefined` for what it refuses. */
function readBoth(args: readonly string[]): { ours: unknown; theirs: unknown } {
  got = undefined;
  const ours = readRight(grammar, args) === undefined ? undefined : got;
  got = undefined;
  const theirs = parse(optique, args).success ? got : undefined;
  return { ours, theirs };
}

const WORDS = [
  "one",
  "some",
  "group",
  "a.yaml",
  "b",
  "--loud",
  "-l",
  "-j",
  "--jobs",
  "--jobs=3",
  "2",
  "0",
  "--set",
  "a.b=1",
  "--set=x=y=z",
  "--size",
  "s",
  "--deep",
];

Deno.test("what is read quickly is what Optique reads", () => {
  const counts = { read: 0, left: 0 };
  const words = fc.array(fc.constantFrom(...WORDS), { maxLength: 8 });
  const line = fc.tuple(fc.constantFrom("one", "some", "group"), words)
    .map(([first, rest]) => [first, ...rest]);
  fc.assert(
    fc.property(line, (args) => {
      const { ours, theirs } = readBoth(args);
      if (ours === undefined) counts.left++;
      else {
        counts.read++;
        assert.deepEqual(JSON.parse(JSON.stringify(ours)), JSON.parse(JSON.stringify(theirs)));
      }
    }),
    { numRuns: 3000 },
  );
  assert.ok(counts.read > 100 && counts.left > 100, JSON.stringify(counts));
});

Deno.test("ordinary command lines are read without Optique", () => {
  for (
    const [args, values] of [
      [["one", "f.yaml", "--loud", "-j", "3"], { file: "f.yaml", loud: true, jobs: 3, set: [] }],
      [["one", "--set", "a=1", "f", "g", "--set=b=2"], {
        file: "f",
        second: "g",
        loud: false,
        set: ["a=1", "b=2"],
      }],
      [["group", "some", "x", "--deep", "y"], { names: ["x", "y"], deep: true }],
    ] as const
  ) {
    const { ours } = readBoth(args);
    assert.deepEqual(JSON.parse(JSON.stringify((ours as { values: unknown }).values)), values);
  }
});

for (
  const args of [
    ["one"],
    ["one", "f", "g", "h"],
    ["one", "f", "--jobs"],
    ["one", "f", "--jobs", "0"],
    ["one", "f", "--jobs", "1", "--jobs", "2"],
    ["one", "f", "--loud=1"],
    ["one", "f", "--nope"],
    ["one", ""],
    ["group"],
    ["two"],
    [],
  ]
) {
  Deno.test(`a command line that is not right is refused by both: ${JSON.stringify(args)}`, () => {
    assert.deepEqual(readBoth(args), { ours: undefined, theirs: undefined });
  });
}

Deno.test("values are read exactly, or say what was expected", () => {
  assert.equal(duration().parse("1.5h"), 5_400_000);
  assert.equal(bytes().parse("2Gi"), 2 ** 31);
  assert.equal(bytes().parse("512MB"), 512e6);
  assert.throws(() => bytes().parse("0"), /Expected a size such as "512M"/);
  assert.throws(() => bytes().parse("5x"), SyntaxError);
  assert.throws(() => duration().parse("5"), /Expected a time such as "14d"/);
  assert.throws(() => integer("N", 2).parse("1"), /greater than or equal to 2/);
  assert.throws(() => integer("N", 0).parse("1.5"), /Expected an integer/);
  assert.throws(() => choice("X", ["a", "b"]).parse("c"), /one of a, b/);
});

Deno.test("every example of every command is a command line that is right", () => {
  for (const entry of commands) {
    const all = isGroup(entry) ? [entry, ...entry.commands] : [entry];
    for (const { examples, name } of all) {
      assert.ok(examples.length > 0, name);
      for (const [, call] of examples) {
        const args = call.replace(/ [>|].*$/, "").split(" ");
        assert.notEqual(readRight(commands, args), undefined, call);
      }
    }
  }
});

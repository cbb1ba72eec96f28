/**
 * Cheap stages to test pipelines with: a plugin, as users write them.
 *
 * @module
 */

import process from "node:process";
import { Type } from "@sinclair/typebox";
import { UserError } from "../../src/base/errors.ts";
import { defineStage } from "../../src/registry/stage.ts";

const metric = { title: "value", description: "The number made", unit: "number" } as const;

/** A number out of nothing. */
export const number = defineStage({
  name: "number",
  version: 1,
  summary: "Make a number",
  description: "",
  parameters: Type.Object({
    value: Type.Integer({ description: "The number", examples: [4] }),
    label: Type.Optional(Type.String()),
  }),
  inputs: {},
  outputs: { value: { kind: "json", description: "The number" } },
  metrics: { value: metric },
  engine: false,
  run: ({ value }) => Promise.resolve({ outputs: { value }, metrics: { value } }),
});

/** The sum of up to four numbers, divided, so that different inputs can give the same bytes. */
export const sum = defineStage({
  name: "sum",
  version: 1,
  summary: "Add numbers",
  description: "",
  parameters: Type.Object({
    plus: Type.Integer({ default: 0 }),
    divide: Type.Integer({ default: 1, minimum: 1 }),
    log: Type.Optional(Type.String({ description: "A file that gets a line for each execution" })),
  }),
  inputs: {
    a: { kinds: ["json"], optional: true, description: "A number" },
    b: { kinds: ["json"], optional: true, description: "A number" },
    c: { kinds: ["json"], optional: true, description: "A number" },
    d: { kinds: ["json"], optional: true, description: "A number" },
  },
  outputs: { total: { kind: "json", description: "The sum" } },
  metrics: { total: metric },
  engine: false,
  async run({ plus, divide, log }, inputs) {
    if (log !== undefined) await Deno.writeTextFile(log, "run\n", { append: true });
    let total = plus;
    for (const input of Object.values(inputs)) total += await input?.load() as number ?? 0;
    total = Math.floor(total / divide);
    return { outputs: { total }, metrics: { total } };
  },
});

/** Every number before it, by what made it. */
export const collect = defineStage({
  name: "collect",
  version: 1,
  summary: "List numbers",
  description: "",
  parameters: Type.Object({}),
  inputs: { numbers: { kinds: ["json"], many: true, description: "Numbers" } },
  outputs: { list: { kind: "file", description: "The numbers by the stage that made each" } },
  metrics: { count: { ...metric, unit: "count" } },
  engine: false,
  async run(_parameters, { numbers }) {
    const list: Record<string, unknown> = {};
    for (const [address, number] of numbers) list[address] = await number.load();
    const bytes = new TextEncoder().encode(JSON.stringify(list));
    return { outputs: { list: bytes }, metrics: { count: numbers.size } };
  },
});

/** One number more. */
export const increment = defineStage({
  name: "increment",
  version: 1,
  summary: "Add to a number",
  description: "",
  parameters: Type.Object({ by: Type.Integer({ default: 1 }) }),
  inputs: { from: { kinds: ["json"], description: "A number" } },
  outputs: { to: { kind: "json", description: "The number made" } },
  metrics: { to: metric },
  engine: false,
  async run({ by }, { from }) {
    const to = Number(await from.load()) + by;
    return { outputs: { to }, metrics: { to } };
  },
});

/** Ends in whatever way it is told to. */
export const trouble = defineStage({
  name: "trouble",
  version: 1,
  summary: "Fail",
  description: "",
  parameters: Type.Object({
    how: Type.Union([
      Type.Literal("mistake"),
      Type.Literal("defect"),
      Type.Literal("string"),
      Type.Literal("stray"),
      Type.Literal("stray-later"),
      Type.Literal("exit"),
      Type.Literal("process-exit"),
      Type.Literal("close"),
      Type.Literal("rejection"),
      Type.Literal("no-output"),
      Type.Literal("other-output"),
      Type.Literal("other-metric"),
      Type.Literal("infinite-metric"),
      Type.Literal("hang"),
      Type.Literal("spin"),
    ], { examples: ["hang"] }),
  }),
  inputs: { after: { kinds: ["json"], optional: true, description: "To run after something" } },
  outputs: { value: { kind: "json", description: "Nothing" } },
  metrics: { value: metric },
  engine: false,
  async run({ how }, _inputs, { signal, progress }) {
    progress({ phase: how, done: 0, total: 1, unit: "steps" });
    switch (how) {
      case "mistake":
        throw new UserError({ message: "The data is wrong", hint: "Mend it" });
      case "defect":
        throw new RangeError("Index out of range");
      case "string":
        throw "just a string";
      case "rejection":
        void Promise.reject(new Error("Rejected where nobody waits for it"));
        await new Promise(() => {});
        break;
      case "stray":
        queueMicrotask(() => {
          throw new Error("Thrown where nobody catches it");
        });
        await new Promise(() => {});
        break;
      case "stray-later":
        setTimeout(() => {
          throw new Error("Thrown when the stage was over");
        }, 1500);
        break;
      case "exit":
        Deno.exit(3);
        break;
      case "process-exit":
        process.exit(3);
        break;
      case "close":
        globalThis.close();
        break;
      case "no-output":
        return { outputs: {} as { value: number } };
      case "other-output":
        return { outputs: { value: 1, more: 2 } };
      case "other-metric":
        return { outputs: { value: 1 }, metrics: { speed: 1 } };
      case "infinite-metric":
        return { outputs: { value: 1 }, metrics: { value: Infinity } };
      case "spin":
        for (;;);
      case "hang":
        signal.throwIfAborted();
        await new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        });
    }
    return { outputs: { value: 1 } };
  },
});

/** Counts to a number, keeping where it is. */
export const count = defineStage({
  name: "count",
  version: 1,
  summary: "Count with checkpoints",
  description: "",
  parameters: Type.Object({
    to: Type.Integer({ minimum: 1, examples: [3] }),
    milliseconds: Type.Integer({ default: 0 }),
    log: Type.Optional(Type.String({ description: "A file that gets each number counted" })),
  }),
  inputs: {},
  outputs: { sequence: { kind: "json", description: "The numbers counted" } },
  engine: false,
  async run({ to, milliseconds, log }, _inputs, { checkpoints, progress }) {
    const saved = await checkpoints.load("numbers");
    const sequence: number[] = saved === undefined
      ? []
      : JSON.parse(new TextDecoder().decode(saved));
    while (sequence.length < to) {
      sequence.push(sequence.length);
      if (log !== undefined) {
        await Deno.writeTextFile(log, `${sequence.length}\n`, { append: true });
      }
      await checkpoints.save("numbers", new TextEncoder().encode(JSON.stringify(sequence)));
      progress({ phase: "counting", done: sequence.length, total: to, unit: "numbers" });
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
    }
    return { outputs: { sequence } };
  },
});

/** Makes a second number if it is asked to. */
export const pair = defineStage({
  name: "pair",
  version: 1,
  summary: "Make one or two numbers",
  description: "",
  parameters: Type.Object({
    second: Type.Boolean({ default: false }),
    lies: Type.Boolean({ default: false }),
  }),
  inputs: {},
  outputs: {
    first: { kind: "json", description: "A number" },
    second: { kind: "json", optional: true, description: "Another one" },
  },
  engine: false,
  omits: ({ second }) => second ? [] : ["second"],
  run: ({ second, lies }) =>
    Promise.resolve({ outputs: { first: 1, ...(second !== lies && { second: 2 }) } }),
});

/** Takes its time, except in a rehearsal. */
export const slow = defineStage({
  name: "slow",
  version: 1,
  summary: "Sleep",
  description: "",
  parameters: Type.Object({ seconds: Type.Integer({ minimum: 0, examples: [1] }) }),
  inputs: {},
  outputs: { slept: { kind: "json", description: "How long it slept" } },
  metrics: { total: metric },
  engine: false,
  rehearse: () => ({ seconds: 0 }),
  async run({ seconds }) {
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    return { outputs: { slept: seconds }, metrics: { total: seconds } };
  },
});

/** Copies a number to a file. */
export const deliver = defineStage({
  name: "deliver",
  version: 1,
  summary: "Copy a number out",
  description: "",
  parameters: Type.Object({ to: Type.String({ default: "delivered.json" }) }),
  inputs: { value: { kinds: ["json"], description: "What to copy" } },
  outputs: { copy: { kind: "json", description: "The copy" } },
  engine: false,
  releases: "value",
  publish: ({ to }, { name }) => [{ output: "copy", to: to.replace("{name}", name) }],
  run: async (_parameters, { value }) => ({ outputs: { copy: await value.load() } }),
});

/** Looks at a number, for as long as it is told to. */
export const inspect = defineStage({
  name: "inspect",
  version: 1,
  summary: "Look at a number",
  description: "",
  parameters: Type.Object({
    milliseconds: Type.Integer({ default: 0 }),
    fails: Type.Boolean({ default: false }),
  }),
  inputs: {
    value: { kinds: ["json"], description: "A number" },
    beside: { kinds: ["json"], optional: true, description: "Another one" },
  },
  outputs: { seen: { kind: "file", description: "The number as text" } },
  metrics: { value: metric },
  engine: false,
  async run({ milliseconds, fails }, { value }) {
    const seen = await value.load();
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    if (fails) throw new UserError({ message: "The number cannot be looked at" });
    const bytes = new TextEncoder().encode(String(seen));
    return { outputs: { seen: bytes }, metrics: { value: Number(seen) } };
  },
});

/** Parameters of every sort. */
export const options = defineStage({
  name: "options",
  version: 1,
  summary: "Take parameters of every sort",
  description: "",
  parameters: Type.Object({
    weights: Type.Object({
      bits: Type.Union([
        Type.Integer({ minimum: 2, maximum: 8 }),
        Type.Literal(16),
      ], { default: 8 }),
      granularity: Type.Union([
        Type.Literal("tensor"),
        Type.Literal("channel"),
        Type.Literal("group"),
      ], { default: "channel" }),
      symmetric: Type.Boolean({ default: true }),
    }, { default: {} }),
    scale: Type.Number({ default: 1, exclusiveMinimum: 0 }),
    mean: Type.Optional(Type.Union([Type.Number(), Type.Array(Type.Number(), { minItems: 1 })])),
    size: Type.Optional(Type.Tuple([Type.Integer(), Type.Integer()])),
    overrides: Type.Array(
      Type.Object({
        match: Type.String({ minLength: 1 }),
        skip: Type.Boolean({ default: false }),
      }),
      { default: [] },
    ),
    range: Type.Union([
      Type.Object({ method: Type.Literal("minmax") }),
      Type.Object({
        method: Type.Literal("percentile"),
        percentile: Type.Number({ default: 99.9, maximum: 100 }),
      }),
    ], { default: { method: "minmax" } }),
    names: Type.Record(Type.String(), Type.Integer(), { default: {} }),
  }),
  inputs: {},
  outputs: { given: { kind: "json", description: "The parameters as the stage saw them" } },
  engine: false,
  validate: ({ scale, weights }) =>
    scale > 10 && weights.bits === 2
      ? [{ path: ["scale"], message: "scale is too large for 2 bits", hint: "Use at most 10" }]
      : [],
  run: (parameters) => Promise.resolve({ outputs: { given: parameters } }),
});

/** Stages that take and make models, data sets and ranges, for wiring; they are never run. */
const idle = {
  version: 1,
  summary: "Stand in for a real stage",
  description: "",
  parameters: Type.Object({}),
  engine: false,
  load: () => Promise.reject(new Error("Only there to be wired")),
} as const;

export const wired = [
  defineStage({
    ...idle,
    name: "fold",
    inputs: { model: { kinds: ["model"], description: "" } },
    outputs: {
      model: { kind: "model", description: "" },
      original: { kind: "model", aside: true, description: "" },
    },
  }),
  defineStage({
    ...idle,
    name: "observe",
    inputs: {
      model: { kinds: ["model"], description: "" },
      calibration: { kinds: ["dataset"], description: "" },
    },
    outputs: { ranges: { kind: "ranges", description: "" } },
  }),
  defineStage({
    ...idle,
    name: "estimate",
    parameters: Type.Object({ blind: Type.Boolean({ default: false }) }),
    inputs: {
      model: { kinds: ["model"], description: "" },
      calibration: { kinds: ["dataset"], ignorable: true, description: "" },
    },
    outputs: { ranges: { kind: "ranges", description: "" } },
    ignores: ({ blind }) => blind ? ["calibration"] : [],
  }),
  defineStage({
    ...idle,
    name: "round",
    inputs: {
      model: { kinds: ["model"], description: "" },
      ranges: { kinds: ["ranges"], optional: true, description: "" },
    },
    outputs: { model: { kind: "quantized-model", description: "" } },
  }),
  defineStage({
    ...idle,
    name: "measure",
    inputs: {
      model: { kinds: ["quantized-model", "model"], description: "" },
      reference: { kinds: ["model"], optional: true, description: "" },
      test: { kinds: ["dataset"], description: "" },
    },
    outputs: { evaluation: { kind: "evaluation", description: "" } },
    metrics: { top1: metric, top1_drop: metric },
  }),
  defineStage({
    ...idle,
    name: "augment",
    inputs: { calibration: { kinds: ["dataset"], description: "" } },
    outputs: { calibration: { kind: "dataset", description: "" } },
  }),
  defineStage({
    ...idle,
    name: "split",
    inputs: {},
    outputs: {
      left: { kind: "dataset", description: "" },
      right: { kind: "dataset", description: "" },
    },
  }),
];

export default [
  collect,
  slow,
  number,
  pair,
  sum,
  increment,
  trouble,
  count,
  deliver,
  inspect,
  options,
  ...wired,
];

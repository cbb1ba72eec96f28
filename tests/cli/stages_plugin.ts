import { Type } from "@sinclair/typebox";
import { UserError } from "../../src/base/errors.ts";
import { defineStage } from "../../src/registry/stage.ts";

const output = { out: { kind: "json", description: "The number" } } as const;

/** Makes a number, in as many steps. */
const count = defineStage({
  name: "count",
  version: 1,
  summary: "Count to a number",
  description: "Counts, slowly if told so.",
  parameters: Type.Object({
    to: Type.Integer({ default: 3, minimum: 0, description: "Where to stop" }),
    pause: Type.Number({ default: 0, description: "Milliseconds between steps" }),
  }),
  inputs: {
    before: { kinds: ["json"], optional: true, description: "A number to start from" },
  },
  outputs: output,
  metrics: {
    value: { title: "value", description: "The number", unit: "count", column: true },
    share: { title: "share", description: "The number of ten", unit: "fraction", column: true },
  },
  engine: false,
  // deno-lint-ignore require-await -- there is nothing to load
  load: async () => ({
    async run(parameters, inputs, context) {
      let value = Number((await inputs.before?.load()) ?? 0);
      for (let step = 1; step <= parameters.to; step++) {
        value++;
        context.progress({ phase: "counting", done: step, total: parameters.to, unit: "steps" });
        if (parameters.pause > 0) {
          await new Promise((resolve) => setTimeout(resolve, parameters.pause));
        }
      }
      if (parameters.to > 5) context.warn("That is a lot");
      return { outputs: { out: value }, metrics: { value, share: value / 10 } };
    },
  }),
});

/** Fails in a way of choice. */
const fail = defineStage({
  name: "fail",
  version: 1,
  summary: "Fail",
  description: "Fails.",
  parameters: Type.Object({
    how: Type.Union([Type.Literal("mistake"), Type.Literal("defect"), Type.Literal("hang")], {
      default: "defect",
      description: "How to fail",
    }),
  }),
  inputs: { before: { kinds: ["json"], optional: true, description: "Anything" } },
  outputs: output,
  engine: false,
  // deno-lint-ignore require-await -- there is nothing to load
  load: async () => ({
    run(parameters) {
      if (parameters.how === "mistake") {
        throw new UserError({ message: "The data has 3 channels", hint: "Set channels to 3" });
      }
      if (parameters.how === "defect") throw new Error("Index out of bounds");
      // A stage that never looks up from its work.
      for (;;);
    },
  }),
});

export default [count, fail];

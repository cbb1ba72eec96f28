import assert from "node:assert/strict";
import { problemsOf, testMistakes } from "./support.ts";

// Mistakes in parameters: where the caret is, what is said, and what mends it.
testMistakes([
  {
    name: "with null",
    pipeline: `
name: x
stages:
  - uses: number
    with:
`,
    problems: ['4:5+4 Stage "number": with lacks the key "value" → Give it an integer, such as 4'],
  },
  {
    name: "input among the parameters",
    pipeline: `
name: x
stages:
  - { id: n, uses: number, with: { value: 1 } }
  - { uses: increment, with: { from: n } }
  - { id: o, uses: options, with: { weights: { around: from } } }
  - { uses: increment, with: { by: 2, around: from } }
`,
    problems: [
      '4:32+4 Stage "increment": with has an unknown key "from" → Inputs are not named under with: "from" takes the nearest that fits, or what stands beside with: in: { from: n }',
      '5:48+6 Stage "o": with.weights has an unknown key "around" → Known: "bits", "granularity", "symmetric"',
      '6:39+6 Stage "increment-2": with has an unknown key "around" → Inputs are not named under with: "from" takes the nearest that fits, or what stands beside with: in: { from: inputs.NAME }',
    ],
  },
  {
    name: "enum",
    pipeline: `
name: x
stages:
  - uses: options
    with: { weights: { granularity: chanel } }
`,
    problems: [
      '4:37+6 Stage "options": with.weights.granularity must be "tensor", "channel" or "group": current value is "chanel" → Did you mean "channel"?',
    ],
  },
  {
    name: "enum far",
    pipeline: `
name: x
stages:
  - uses: options
    with: { weights: { granularity: row } }
`,
    problems: [
      '4:37+3 Stage "options": with.weights.granularity must be "tensor", "channel" or "group": current value is "row"',
    ],
  },
  {
    name: "union array or number",
    pipeline: `
name: x
stages:
  - uses: options
    with: { mean: a }
`,
    problems: [
      '4:19+1 Stage "options": with.mean must be a number, or a list that is not empty, each a number: current value is "a"',
    ],
  },
  {
    name: "union array items",
    pipeline: `
name: x
stages:
  - uses: options
    with: { mean: [1, b] }
`,
    problems: ['4:23+1 Stage "options": with.mean[1] must be a number: current value is "b"'],
  },
  {
    name: "union empty array",
    pipeline: `
name: x
stages:
  - uses: options
    with: { mean: [] }
`,
    problems: ['4:13+4 Stage "options": with.mean must have at least 1 value: current value has 0'],
  },
  {
    name: "tuple",
    pipeline: `
name: x
stages:
  - uses: options
    with: { size: [1, 2, 3] }
`,
    problems: ['4:13+4 Stage "options": with.size must have 2 values: current value has 3'],
  },
  {
    name: "tuple item",
    pipeline: `
name: x
stages:
  - uses: options
    with: { size: [1, 2.5] }
`,
    problems: ['4:23+3 Stage "options": with.size[1] must be an integer: current value is 2.5'],
  },
  {
    name: "variant",
    pipeline: `
name: x
stages:
  - uses: options
    with: { range: { method: percentle } }
`,
    problems: [
      '4:30+9 Stage "options": with.range.method must be "minmax" or "percentile": current value is "percentle" → Did you mean "percentile"?',
    ],
  },
  {
    name: "variant key",
    pipeline: `
name: x
stages:
  - uses: options
    with: { range: { method: minmax, percentile: 3 } }
`,
    problems: ['4:38+10 Stage "options": with.range has an unknown key "percentile"'],
  },
  {
    name: "variant value",
    pipeline: `
name: x
stages:
  - uses: options
    with: { range: { method: percentile, percentile: 300 } }
`,
    problems: [
      '4:54+3 Stage "options": with.range.percentile must be a number of at most 100: current value is 300',
    ],
  },
  {
    name: "variant none",
    pipeline: `
name: x
stages:
  - uses: options
    with: { range: {} }
`,
    problems: [
      '4:13+5 Stage "options": with.range lacks the key "method" → Give it "minmax" or "percentile"',
    ],
  },
  {
    name: "list of maps",
    pipeline: `
name: x
stages:
  - uses: options
    with:
      overrides:
        - { match: a }
        - { skip: maybe }
        - { match: '' }
`,
    problems: [
      '7:11+15 Stage "options": with.overrides[1] lacks the key "match" → Give it a string',
      '7:19+5 Stage "options": with.overrides[1].skip must be true or false: current value is "maybe"',
      '8:20+2 Stage "options": with.overrides[2].match must not be empty',
    ],
  },
  {
    name: "hook",
    pipeline: `
name: x
stages:
  - uses: options
    with: { scale: 11, weights: { bits: 2 } }
`,
    problems: ['4:20+2 Stage "options": scale is too large for 2 bits → Use at most 10'],
  },
]);

Deno.test("a stage whose parameters are wrong is not asked what follows from them", async () => {
  const problems = await problemsOf(`
name: x
inputs: { model: { onnx: m.onnx } }
stages:
  - { uses: verify, with: { method: differential } }
`);
  assert.match(problems.join("\n"), /^4:\d+\+\d+ Stage "verify": .*domain/m);
});

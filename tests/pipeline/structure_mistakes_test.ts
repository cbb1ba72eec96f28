import { testMistakes } from "./support.ts";

// Mistakes in the parts of a pipeline: where the caret is, what is said, and what mends it.
testMistakes([
  {
    name: "no stages",
    pipeline: `
name: x
`,
    problems: [
      '1:1+7 The pipeline lacks the key "stages" → Give it a list that is not empty, each a map with "uses"',
    ],
  },
  {
    name: "empty stages",
    pipeline: `
name: x
stages: []
`,
    problems: ["2:1+6 stages must have at least 1 value: current value has 0"],
  },
  {
    name: "stages is a map",
    pipeline: `
name: x
stages: { a: 1 }
`,
    problems: [
      '2:1+6 stages must be a list that is not empty, each a map with "uses": current value is a map',
    ],
  },
  {
    name: "stage is a string",
    pipeline: `
name: x
stages: [number]
`,
    problems: [
      '2:10+6 stages[0] must be a map with "uses": current value is "number" → Write { uses: number }',
    ],
  },
  {
    name: "missing uses",
    pipeline: `
name: x
stages:
  - id: a
    with: { value: 1 }
`,
    problems: ['3:5+5 Stage "a" lacks the key "uses" → Give it a string, such as "quantize"'],
  },
  {
    name: "seed",
    pipeline: `
name: x
seed: 1.5
stages:
  - uses: number
    with: { value: 1 }
`,
    problems: ["2:7+3 seed must be an integer from 0 to 9007199254740991: current value is 1.5"],
  },
  {
    name: "with list",
    pipeline: `
name: x
stages:
  - uses: number
    with: [1]
`,
    problems: ['4:5+4 Stage "number": with must be a map: current value is a list'],
  },
  {
    name: "duplicate ids",
    pipeline: `
name: x
stages:
  - id: a
    uses: number
    with: { value: 1 }
  - id: a
    uses: number
    with: { value: 1 }
`,
    problems: ['6:9+1 Two stages have the id "a" → The other is in line 3; choose another id'],
  },
  {
    name: "duplicate ids of stages that follow on each other",
    pipeline: `
name: x
stages:
  - { id: n, uses: number, with: { value: 1 } }
  - { id: a, uses: increment }
  - { id: a, uses: increment }
`,
    problems: ['5:11+1 Two stages have the id "a" → The other is in line 4; choose another id'],
  },
  {
    name: "bad ids",
    pipeline: `
name: x
stages:
  - id: inputs
    uses: number
    with: { value: 1 }
  - id: 'a b'
    uses: number
    with: { value: 1 }
`,
    problems: [
      '3:5+2 Stage id "inputs" has a meaning of its own → Choose another one',
      '6:9+5 Stage id "a b" must begin with a letter and have only letters, digits, "-" and "_"',
    ],
  },
  {
    name: "input names",
    pipeline: `
name: x
inputs: { '1a': { json: a.json }, none: { json: b.json } }
stages:
  - uses: number
    with: { value: 1 }
`,
    problems: [
      '2:11+4 Input "1a" must begin with a letter and have only letters, digits, "-" and "_"',
      '2:25+6 Input "1a": File "a.json" does not exist → Looked for "FOLDER/a.json"',
      '2:35+4 Input "none" has a meaning of its own → Choose another one',
      '2:49+6 Input "none": File "b.json" does not exist → Looked for "FOLDER/b.json"',
    ],
  },
  {
    name: "input forms",
    pipeline: `
name: x
inputs:
  a: { onnx: m.onnx, idx: foo }
  b: { take: 3 }
  c: foo.onnx
  d: { onnx: m.onnx, kind: quantised-model }
  e: { idx: 3 }
  f: { images: x, preprocess: { layout: nwhc } }
stages:
  - uses: number
    with: { value: 1 }
`,
    problems: [
      '3:22+3 inputs.a can have only one of the keys "onnx" or "idx" → Remove the others',
      '4:3+1 inputs.b must have one of the keys "onnx", "idx", "npy", "npz", "csv", "cifar", "images", "synthetic", "json" or "file"',
      '5:6+8 inputs.c must be a map with "onnx", "idx", "npy", "npz", "csv", "cifar", "images", "synthetic", "json" or "file": current value is "foo.onnx"',
      '6:28+15 inputs.d.kind must be "model" or "quantized-model": current value is "quantised-model" → Did you mean "quantized-model"?',
      "7:13+1 inputs.e.idx must be a string: current value is 3",
      '8:41+4 inputs.f.preprocess.layout must be "nchw" or "nhwc": current value is "nwhc" → Did you mean "nhwc"?',
    ],
  },
  {
    name: "gates",
    pipeline: `
name: x
stages:
  - uses: number
    with: { value: 1 }
    expect: { value: '3 .. 1' }
  - uses: options
    expect: { top1: 3 }
  - uses: number
    with: { value: 1 }
    expect: { value: [1] }
`,
    problems: [
      '5:22+8 Stage "number": Range "3 .. 1" ends before it begins → Write it like "<= 0.01", ">= 98%", "== 8" or "0.97 .. 0.99"',
      '7:15+4 Stage "options": "options" has no metric "top1" → It has no metrics',
      '10:15+5 Stage "number-2": expect.value must be a string, or a number: current value is a list',
    ],
  },
]);

import { testMistakes } from "./support.ts";

// Mistakes in how stages are connected: where the caret is, what is said, and what mends it.
testMistakes([
  {
    name: "input that may be without a part",
    pipeline: `
name: x
inputs: { data: { synthetic: { shape: [1], count: 1 } } }
stages:
  - uses: augment
  - { id: a, uses: estimate, in: { model: none } }
  - uses: estimate
    with: { blind: true }
    in: { model: none, calibration: augment }
`,
    problems: [
      '5:43+4 Stage "a": input "model" cannot be none',
      '8:18+4 Stage "estimate": input "model" cannot be none',
      '8:24+11 Stage "estimate": input "calibration" has no part with these parameters → Leave out in.calibration',
    ],
  },
  {
    name: "input that has a part but nothing to feed it",
    pipeline: `
name: x
inputs: { model: { onnx: m.onnx } }
stages:
  - { uses: estimate, with: { blind: true } }
  - uses: estimate
`,
    problems: [
      '2:26+6 Input "model": File "m.onnx" does not exist → Looked for "FOLDER/m.onnx"',
      '5:11+8 Stage "estimate-2": input "calibration" needs a dataset, but there is none before it → Give one under inputs:',
    ],
  },
  {
    name: "input whose part wrong parameters cannot say",
    pipeline: `
name: x
inputs: { model: { onnx: m.onnx } }
stages:
  - { uses: estimate, with: { blin: true } }
`,
    problems: [
      '2:26+6 Input "model": File "m.onnx" does not exist → Looked for "FOLDER/m.onnx"',
      '4:31+4 Stage "estimate": with has an unknown key "blin" → Did you mean "blind"?',
    ],
  },
  {
    name: "missing input",
    pipeline: `
name: x
stages:
  - uses: fold
  - uses: observe
`,
    problems: [
      '3:11+4 Stage "fold": input "model" needs a model, but there is none before it → Give one under inputs:',
      '4:11+7 Stage "observe": input "calibration" needs a dataset, but there is none before it → Give one under inputs:',
    ],
  },
  {
    name: "ref to nothing",
    pipeline: `
name: x
inputs: { model: { onnx: m.onnx }, test: { synthetic: { shape: [1], count: 1 } } }
stages:
  - uses: fold
    in: { model: flod.model }
  - uses: fold
    in: { model: fold.modle }
  - uses: fold
    in: { model: inputs.mdoel }
  - uses: fold
    in: { model: inputs.test }
  - uses: fold
    in: { modl: fold }
  - uses: fold
    in: { model: none }
  - uses: measure
    in: { model: split }
  - uses: split
  - uses: measure
    in: { test: split }
`,
    problems: [
      '2:26+6 Input "model": File "m.onnx" does not exist → Looked for "FOLDER/m.onnx"',
      '5:18+10 Stage "fold": in.model is "flod.model", but there is no stage "flod" → Did you mean "fold"?',
      '7:18+10 Stage "fold-2": in.model is "fold.modle", but "fold" has no output "modle" → Did you mean "fold.model"?',
      '9:18+12 Stage "fold-3": in.model is "inputs.mdoel", but there is no input "mdoel" → Did you mean "inputs.model"?',
      '11:18+11 Stage "fold-4": in.model takes a model, but "inputs.test" is a dataset',
      '13:11+4 Stage "fold-5": there is no input "modl" → Did you mean "model"?',
      '15:18+4 Stage "fold-6": input "model" cannot be none',
      '17:18+5 Stage "measure": in.model is "split", which has no output that fits → Known: "split.left", "split.right"',
      '20:17+5 Stage "measure-2": in.test is "split", which could be several → Known: "split.left", "split.right"',
    ],
  },
  {
    name: "cycle",
    pipeline: `
name: x
stages:
  - id: a
    uses: sum
    in: { a: c.total }
  - id: b
    uses: sum
    in: { a: a }
  - id: c
    uses: sum
    in: { a: b.total, b: none }
`,
    problems: [
      "5:14+7 Stages wait for each other in a circle: a → c → b → a → An arrow leads to the stage whose output is taken; take something else in one of them",
    ],
  },
  {
    name: "self",
    pipeline: `
name: x
stages:
  - id: a
    uses: sum
    in: { a: a }
`,
    problems: [
      "5:14+1 Stages wait for each other in a circle: a → a → An arrow leads to the stage whose output is taken; take something else in one of them",
    ],
  },
  {
    name: "ambiguous",
    pipeline: `
name: x
inputs: { model: { onnx: m.onnx }, train: { synthetic: { shape: [1], count: 1 } }, val: { synthetic: { shape: [1], count: 1 } } }
stages:
  - uses: observe
`,
    problems: [
      '2:26+6 Input "model": File "m.onnx" does not exist → Looked for "FOLDER/m.onnx"',
      '4:11+7 Stage "observe": input "calibration" could be inputs.train or inputs.val → Say which one, for instance: in: { calibration: inputs.train }',
    ],
  },
]);

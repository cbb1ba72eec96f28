import { testMistakes } from "./support.ts";

/** Each stage says twice what the one before says. */
const DOUBLING = [
  "name: x",
  "stages:",
  "  - { id: s0, uses: sum, with: { log: x } }",
  ...Array.from({ length: 30 }, (_, index) => {
    const before = `\${s${index}.with.log}`;
    return `  - { id: s${index + 1}, uses: sum, with: { log: "${before}${before}" } }`;
  }),
].join("\n");

// Mistakes in references and settings: where the caret is, what is said, and what mends it.
testMistakes([
  {
    name: "reference",
    pipeline: `
name: x
stages:
  - uses: sum
    with: { plus: '\${sede}' }
  - uses: sum
    with: { plus: '\${stages.smu.with.plus}', divide: '\${stages.sum.with.divide}' }
  - id: l
    uses: sum
    with: { plus: '\${l.with.plus}', log: 'a \${stages.sum.with}' }
`,
    problems: [
      '4:19+9 Reference "${sede}" begins with "sede", which is no part of the pipeline → Did you mean "seed"?',
      '6:19+25 Reference "${stages.smu.with.plus}" names the stage "smu", which is not there → Did you mean "sum"?',
      '6:54+27 Reference "${stages.sum.with.divide}" names nothing → Known: "plus"',
      '9:19+16 Reference "${l.with.plus}" leads back to itself',
      '9:42+22 Reference "${stages.sum.with}" names more than fits into a string',
    ],
  },
  {
    name: "mutual",
    pipeline: `
name: x
stages:
  - id: a
    uses: sum
    with: { plus: '\${b.with.plus}' }
  - id: b
    uses: sum
    with: { plus: '\${a.with.plus}' }
`,
    problems: [
      '5:19+16 Reference "${b.with.plus}" leads back to itself',
      '8:19+16 Reference "${a.with.plus}" leads back to itself',
    ],
  },
  {
    name: "reference type",
    pipeline: `
name: x
stages:
  - uses: sum
    with: { plus: '\${name}' }
`,
    problems: ['4:19+9 Stage "sum": with.plus must be an integer: current value is "x"'],
  },
  {
    name: "ref bomb",
    pipeline: DOUBLING,
    problems: ["1:1+7 The references expand to more than 10000 values"],
  },
  {
    name: "set",
    pipeline: `
name: x
stages:
  - id: w4
    uses: sum
    with: { plus: 1 }
`,
    set: [
      "sed=1",
      "w5.with.plus=2",
      "stages.w4.with.pluss=3",
      "w4.with.plus=x",
      "inputs.tset.take=3",
      "name",
      "w4.with.plus.more=1",
      "=1",
      "w4.with.plus={",
      "stages.7.with.plus=3",
    ],
    problems: [
      'set 1:1+3 "--set sed=1" begins with "sed", which is no part of the pipeline → Did you mean "seed"?',
      'set 1:1+12 "--set w5.with.plus=2" begins with "w5", which is no part of the pipeline → Did you mean "w4"?',
      'set 1:1+16 "--set inputs.tset.take=3" names the input "tset", which is not there',
      'set 1:1+4 "--set name" is not of the form path=value → Write it like --set w4.with.weights.bits=3',
      'set 1:1+17 "--set w4.with.plus.more=1" goes into stages.0.with.plus, which is "x", not a map',
      'set 1:1+1 "--set =1" is not of the form path=value → Write it like --set w4.with.weights.bits=3',
      'set 1:1+18 "--set stages.7.with.plus=3" names the stage "7", which is not there → Known: "w4"',
      'set 1:1+12 Stage "w4": with.plus must be an integer: current value is "x"',
      'set 1:1+20 Stage "w4": with has an unknown key "pluss" → Did you mean "plus", which is there already?',
      'set 1:14+1 Value of "--set w4.with.plus={" cannot be read: YAML: Flow map must end with a }',
    ],
  },
]);

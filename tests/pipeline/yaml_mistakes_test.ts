import { testMistakes } from "./support.ts";

const DEEP = `name: ${"[".repeat(20_000)}`;

// Text that is no YAML, or YAML that is no JSON: where the caret is, what is said, and what mends it.
testMistakes([
  {
    name: "scalar",
    pipeline: `
hello
`,
    problems: ["1:1+5 YAML: Implicit keys need to be on a single line"],
  },
  {
    name: "NUL, which no file's name can have",
    pipeline: `
name: x
inputs:
  model: { onnx: "a\\0.onnx" }
stages:
  - uses: number
    with: { value: 1, label: "\0" }
`,
    problems: [
      "3:18+10 The string has a NUL character",
      "6:30+3 The string has a NUL character",
    ],
  },
  {
    name: "tab",
    pipeline: `
name: x
stages:
	- uses: number
`,
    problems: ["3:1+1 A tab is used for indentation → Indent with spaces"],
  },
  {
    name: "bad indent",
    pipeline: `
name: x
stages:
  - uses: number
 with: 1
`,
    problems: ["4:1+1 YAML: All mapping items must start at the same column"],
  },
  {
    name: "unclosed",
    pipeline: `
name: x
stages: [ { uses: number 
`,
    problems: [
      "3:1+1 YAML: Flow map in block collection must be sufficiently indented and end with a }",
    ],
  },
  {
    name: "dup key",
    pipeline: `
name: x
name: y
stages:
  - uses: number
    with: { value: 1, value: 2 }
    wiht: 3
`,
    problems: [
      '2:1+4 Key "name" is there twice → Remove one of the two',
      '5:23+5 Key "value" is there twice → Remove one of the two',
      '6:5+4 Stage "number" has an unknown key "wiht" → Did you mean "with", which is there already?',
    ],
  },
  {
    name: "tag",
    pipeline: `
name: !!binary aGk=
stages:
  - uses: !foo number
    with: { value: 1 }
`,
    problems: [
      "1:16+4 The value has no JSON form → Quote it to make it a string",
      "3:11+4 YAML tags are not used in pipelines → Leave out the tag",
    ],
  },
  {
    name: "multi docs",
    pipeline: `
name: x
---
name: y
`,
    problems: ["2:1+3 The file has several documents → Make each a file of its own"],
  },
  {
    name: "int key",
    pipeline: `
name: x
stages:
  - uses: options
    with: { names: { 1: 2 } }
`,
    problems: ["4:22+1 A key must be a string → Put it in quotes"],
  },
  {
    name: "nan",
    pipeline: `
name: x
stages:
  - uses: options
    with: { scale: .nan }
`,
    problems: ["4:20+4 NaN is not a finite number"],
  },
  {
    name: "missing anchor",
    pipeline: `
name: x
stages: [ *foo ]
`,
    problems: ['2:11+4 There is no anchor "&foo" before this alias'],
  },
  {
    name: "alias in itself",
    pipeline: `
name: x
stages: &s
  - uses: number
    with: *s
`,
    problems: [
      '4:5+4 Stage "number": with lacks the key "value" → Give it an integer, such as 4',
      "4:11+2 The alias is inside what it stands for",
    ],
  },
  {
    name: "bomb",
    pipeline: `
name: x
a: &a [x,x,x,x,x,x,x,x,x,x]
b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]
c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]
d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]
e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]
f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]
`,
    problems: ["2:24+1 The aliases expand to more than 100000 values"],
  },
  {
    name: "deep",
    pipeline: DEEP,
    problems: ["1:1+1 The file is nested too deeply"],
  },
]);

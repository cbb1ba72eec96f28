/**
 * VNN-LIB files.
 *
 * @module
 */

import type { Random } from "../../../src/base/random.ts";
import { parseVnnlib } from "../../../src/verify/vnnlib/property.ts";
import type { Target } from "../fuzz.ts";
import { mutateText } from "../mutate.ts";

const TEXTS = [
  `; a box and a union of outputs
(declare-const X_0 Real)
(declare-const X_1 Real)
(declare-const Y_0 Real)
(declare-const Y_1 Real)
(assert (<= X_0 0.5))
(assert (>= X_0 -0.5))
(assert (<= X_1 1e-3))
(assert (>= X_1 0))
(assert (or (and (>= Y_0 Y_1)) (and (<= Y_1 -3.991125645861615))))
`,
  `(declare-const X_0 Real)
(declare-const Y_0 Real)
(assert (or (and (<= X_0 1) (>= X_0 0)) (and (<= X_0 3) (>= X_0 2))))
(assert (>= Y_0 0.1))
`,
];

const WORDS = [
  "(assert",
  "(or",
  "(and",
  "(not",
  "<=",
  ">=",
  "<",
  "=",
  "X_0",
  "X_99999999999",
  "Y_1",
  "Z_0",
  "Real",
  "Int",
  "(declare-const",
  "(declare-fun",
  ")",
  "(",
  "1e309",
  "-1e-400",
  "0.1.2",
  "NaN",
  "(- 1)",
  "(/ 1 3)",
  ";",
  '"',
  "|x|",
  "\u0000",
];

export function vnnlibTarget(): Promise<Target> {
  return Promise.resolve({
    attempt(random: Random, keep) {
      const text = mutateText(TEXTS[random.integer(TEXTS.length)]!, WORDS, random);
      keep(text);
      parseVnnlib(text, "p.vnnlib");
      return Promise.resolve();
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
}

/**
 * Certificates that were changed so that what they say is false, or not proven.
 *
 * @module
 */

import type { Random } from "../../src/base/random.ts";
import type { Certificate } from "../../src/checker/certificate.ts";

/** What was seen of a box: the least and the most difference of each output, and outside of it at which point. */
export interface Seen {
  readonly least: Float64Array;
  readonly most: Float64Array;
}

/** A difference at a point outside of a box that is beyond what is claimed on the box. */
export interface Outside {
  readonly box: number;
  readonly point: Float64Array;
}

type Draft = {
  models: Record<"original" | "quantized", string>;
  boxes: {
    lower: number[];
    upper: number[];
    difference: { lower: number[]; upper: number[] };
    tree: (number | [number, number])[];
  }[];
};

/** A kind of change; `undefined` where there is nothing to change. */
export type Mutation = (certificate: Certificate, random: Random) => Certificate | undefined;

const changed = (certificate: Certificate, change: (draft: Draft) => void): Certificate => {
  const draft = structuredClone(certificate) as unknown as Draft;
  change(draft);
  return draft as unknown as Certificate;
};

/** The kinds. */
export function mutations(
  seen: readonly Seen[],
  outside: readonly Outside[],
): Readonly<Record<string, Mutation>> {
  return {
    // Below what was seen: by nearly nothing up to all of it.
    "a bound is lowered": (certificate, random) =>
      changed(certificate, ({ boxes }) => {
        const at = random.integer(boxes.length);
        const { least, most } = seen[at]!;
        const output = random.integer(most.length);
        const share = 1 - 10 ** -(random.integer(8) + random.uniform());
        const { lower, upper } = boxes[at]!.difference;
        if (most[output]! > -least[output]!) {
          upper[output] = Math.max(share * most[output]!, lower[output]!);
        } else lower[output] = Math.min(share * least[output]!, upper[output]!);
      }),
    "a part is dropped, or said twice": (certificate, random) =>
      changed(certificate, ({ boxes }) => {
        const { tree } = boxes[random.integer(boxes.length)]!;
        const at = random.integer(tree.length);
        const kind = random.integer(3);
        if (kind === 0) tree.splice(at, 1);
        else if (kind === 1) tree.splice(at, 0, tree[at]!);
        else tree.length = at;
      }),
    "a cut is moved out of its part": (certificate, random) =>
      changed(certificate, ({ boxes }) => {
        const { tree, lower, upper } = boxes[random.integer(boxes.length)]!;
        const cuts = tree.flatMap((node, at) => typeof node === "number" ? [] : [at]);
        const side = random.integer(lower.length);
        const beyond = random.integer(2) === 0
          ? lower[side]! - 10 ** -random.integer(9)
          : upper[side]! + 10 ** -random.integer(9);
        if (cuts.length === 0) tree.unshift([side, beyond], 1);
        else tree[cuts[random.integer(cuts.length)]!] = [side, beyond];
      }),
    "a box is made larger": (certificate, random) => {
      if (outside.length === 0) return undefined;
      return changed(certificate, ({ boxes }) => {
        const { box, point } = outside[random.integer(outside.length)]!;
        const { lower, upper } = boxes[box]!;
        point.forEach((value, side) => {
          lower[side] = Math.min(lower[side]!, value);
          upper[side] = Math.max(upper[side]!, value);
        });
      });
    },
    "another model's digest": (certificate, random) =>
      changed(certificate, ({ models }) => {
        const side = random.integer(2) === 0 ? "original" : "quantized";
        const at = random.integer(64);
        const digit = ((parseInt(models[side][at]!, 16) + 1 + random.integer(15)) % 16).toString(
          16,
        );
        models[side] = models[side].slice(0, at) + digit + models[side].slice(at + 1);
      }),
  };
}

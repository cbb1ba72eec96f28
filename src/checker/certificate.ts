/**
 * Certificates as JSON: what they claim, and the splitting that proves it.
 *
 * @module
 */

import { Refusal } from "./refusal.ts";
import type { Semantics } from "./rounding.ts";

/** The only format there is. */
export const FORMAT = "bitbound-certificate";
/** Raised when old checkers would misread new certificates. */
export const VERSION = 1;
/** The arithmetics of the two models that certificates speak of. */
export const SEMANTICS: readonly Semantics[] = ["real", "float32"];

/**
 * How a box is split, in preorder: `[side, at]` cuts the box at x[side] = at, its two parts follow, the lower one first;
 * a number is a part that is bounded as a whole: 0 with functionals of each network's values, 1 with those of
 * differences inside of the networks besides.
 */
export type SplitTree = readonly (readonly [side: number, at: number] | 0 | 1)[];

/** A box and what holds on it. */
export interface CertifiedBox {
  readonly name: string;
  readonly lower: readonly number[];
  readonly upper: readonly number[];
  /** For every x of the box and every output i: lower[i] ≤ f′ᵢ(x) − fᵢ(x) ≤ upper[i]. */
  readonly difference: { readonly lower: readonly number[]; readonly upper: readonly number[] };
  readonly tree: SplitTree;
}

/** A certificate. */
export interface Certificate {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  /** SHA-256 of the two model files, in lower-case hex. */
  readonly models: { readonly original: string; readonly quantized: string };
  /**
   * `real`: both are functions of real numbers, with the parameters that the files hold. `float32`: every sum of both
   * may be rounded to float32 at every step and in any order.
   */
  readonly semantics: Semantics;
  readonly boxes: readonly CertifiedBox[];
}

/**
 * Reads a certificate.
 *
 * @throws {Refusal} If it is not of this format: names the place.
 */
export function readCertificate(text: string): Certificate {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refusal("The certificate is no JSON");
  }
  checkKeys(text);
  refuseNone(value);
  const whole = fields(value, "The certificate", [
    "format",
    "version",
    "models",
    "semantics",
    "boxes",
  ]);
  if (whole.format !== FORMAT) throw new Refusal(`The format is not "${FORMAT}"`);
  if (whole.version !== VERSION) {
    throw new Refusal(
      `The version is ${shown(whole.version)}: this checker knows ${VERSION}`,
    );
  }
  if (!SEMANTICS.includes(whole.semantics as Semantics)) {
    throw new Refusal(
      `The semantics ${shown(whole.semantics)} is not one that this checker knows: ${
        SEMANTICS.join(", ")
      }`,
    );
  }
  const models = fields(whole.models, "models", ["original", "quantized"]);
  for (const side of ["original", "quantized"]) {
    const digest = models[side];
    if (typeof digest !== "string" || !/^[0-9a-f]{64}$/.test(digest)) {
      throw new Refusal(`models.${side} is no SHA-256 digest`);
    }
  }
  if (!Array.isArray(whole.boxes) || whole.boxes.length === 0) {
    throw new Refusal("The certificate speaks of no box");
  }
  whole.boxes.forEach((each, at) => checkBox(each, `boxes[${at}]`));
  return value as Certificate;
}

/** A file in the place of a certificate that could not be made. */
export interface NoCertificate {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  /** Why there is none. */
  readonly none: string;
}

function refuseNone(value: unknown): void {
  if (typeof value !== "object" || value === null || !("none" in value)) return;
  throw new Refusal(
    `The file holds no certificate: ${
      typeof value.none === "string" ? value.none : shown(value.none)
    }`,
  );
}

/** A value as it can be shown, whatever it is. */
function shown(value: unknown): string {
  // Lists in lists can be too deep to be written out.
  return typeof value === "object" && value !== null
    ? "a list or an object"
    : JSON.stringify(value);
}

/** A name in front of a colon, or where objects and lists begin and end. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}[\]]/g;

/** Refuses objects that say something twice, which readers understand differently. The text is JSON. */
function checkKeys(text: string): void {
  const open: (Set<string> | undefined)[] = [];
  for (const [token, colon] of text.matchAll(TOKENS)) {
    if (token === "{" || token === "[") open.push(token === "{" ? new Set() : undefined);
    else if (token === "}" || token === "]") open.pop();
    else if (colon !== undefined) {
      const name = JSON.parse(token.slice(0, -colon.length)) as string;
      const known = open.at(-1)!;
      if (known.has(name)) throw new Refusal(`The certificate says "${name}" twice`);
      known.add(name);
    }
  }
}

function checkBox(value: unknown, where: string): void {
  const box = fields(value, where, ["name", "lower", "upper", "difference", "tree"]);
  if (typeof box.name !== "string") throw new Refusal(`${where}.name is no text`);
  checkSides(box.lower, box.upper, where);
  const difference = fields(box.difference, `${where}.difference`, ["lower", "upper"]);
  checkSides(difference.lower, difference.upper, `${where}.difference`);
  if (!Array.isArray(box.tree)) throw new Refusal(`${where}.tree is no list`);
  for (const [at, node] of box.tree.entries()) {
    if (node === 0 || node === 1) continue;
    const isSplit = Array.isArray(node) && node.length === 2 && Number.isInteger(node[0]) &&
      Number.isFinite(node[1]);
    if (!isSplit) throw new Refusal(`${where}.tree[${at}] is neither 0, 1 nor [side, at]`);
  }
}

function checkSides(lower: unknown, upper: unknown, where: string): void {
  for (const side of [lower, upper]) {
    if (!Array.isArray(side) || !side.every((each) => Number.isFinite(each))) {
      throw new Refusal(`${where} has sides that are not lists of numbers`);
    }
  }
  const [from, to] = [lower as number[], upper as number[]];
  if (from.length !== to.length) throw new Refusal(`${where} has unequal sides`);
  if (from.some((each, at) => each > to[at]!)) throw new Refusal(`${where} is inverted`);
}

function fields(
  value: unknown,
  where: string,
  names: readonly string[],
): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Refusal(`${where} is no object`);
  }
  const keys = Object.keys(value);
  const missing = names.find((name) => !keys.includes(name));
  if (missing !== undefined) throw new Refusal(`${where} has no "${missing}"`);
  const extra = keys.find((key) => !names.includes(key));
  if (extra !== undefined) throw new Refusal(`${where} has "${extra}", which has no meaning`);
  return value as Record<string, unknown>;
}

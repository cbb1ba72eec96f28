/**
 * The certificate of what was proven.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { canonicalJson } from "../../base/canonical_json.ts";
import { UserError } from "../../base/errors.ts";
import { formatWholeSeconds } from "../../base/units.ts";
import { FORMAT, type NoCertificate, VERSION } from "../../checker/certificate.ts";
import type { StageContext } from "../../registry/stage.ts";
import { freeSides } from "../../verify/box.ts";
import {
  certify,
  type CertifyRequest,
  encodeCertificate,
  workOfPart,
} from "../../verify/certificate/certify.ts";
import type { NamedBox } from "../../verify/domain/input.ts";
import type { SearchResult } from "../../verify/split/search.ts";
import { MOST_SPLIT_INPUTS } from "../../verify/verify.ts";
import type { Parameters } from "./ports.ts";
import type { Reporter } from "./reporter.ts";

/**
 * Unless a number is given, so many times the boxes that were bounded are the parts that a certificate may have; of those
 * that helped, where splitting did not help any more.
 */
const PARTS_PER_BOX = 4;
const LEAST_PARTS = 64;

/** Multiplications that one part may take where nobody asked for a certificate expressly: ten seconds at most. */
const MOST_WORK = 2e9;

/** Multiplications a second where the signs of most neurons are open, and pools are many. */
const RATE = 2e8;

/**
 * Certificates claim a little more than what is proven, as the checker's bounds are others. A share of it is enough to
 * be reached with not many more parts.
 */
const SLACK = 2 ** -9;

/** A certificate's bytes, and what it claims. */
export interface MadeCertificate {
  readonly bytes: Uint8Array;
  /** For the document of the stage. */
  readonly facts:
    | {
      /** The largest difference that it allows. */
      readonly claims: number;
      /** Parts that it bounds. */
      readonly parts: number;
    }
    | { readonly none: string };
}

/** Where the models' files are. */
export interface ModelPaths {
  readonly original: string;
  readonly quantized: string;
}

/** Makes the certificate, or a file that says why there is none. */
export async function certificateOf(
  paths: ModelPaths,
  { certificate: { parts }, semantics, split }: Parameters,
  boxes: readonly NamedBox[],
  results: readonly SearchResult[],
  context: StageContext,
  reporter: Reporter,
): Promise<MadeCertificate> {
  if (parts === 0) return none("none was asked for: parts is 0");
  const unbounded = results.findIndex(({ outputs }) =>
    !outputs.every(({ proven }) => Number.isFinite(proven))
  );
  if (unbounded >= 0) {
    return none(`box "${boxes[unbounded]!.name}" has no finite bound`, context);
  }
  const [original, quantized] = await Promise.all([
    readFile(paths.original),
    readFile(paths.quantized),
  ]);
  const models = { original, quantized };
  try {
    if (parts === undefined) {
      const work = workOfPart(models, semantics);
      if (work > MOST_WORK) {
        return none(
          `one part takes up to ${work.toPrecision(2)} multiplications, which can take ` +
            `${formatWholeSeconds(Math.ceil(work / RATE))}, so it has to be asked for: ` +
            "certificate: { parts: 1 }",
          context,
        );
      }
    }
    const requests = boxes.map(({ name, box }, at): CertifyRequest => {
      const { outputs, boxes, standsStill = boxes } = results[at]!;
      const upper = Float64Array.from(outputs, ({ proven }) => proven * (1 + SLACK));
      const target = { lower: upper.map((value) => -value), upper };
      const few = freeSides(box) <= MOST_SPLIT_INPUTS;
      const usual = few ? Math.max(LEAST_PARTS, PARTS_PER_BOX * standsStill) : 1;
      return { name, box, target, parts: split ? parts ?? usual : 1 };
    });
    const { certificate } = await certify(models, requests, {
      semantics,
      signal: context.signal,
      progress: (box, parts, share) => reporter.certifying(box, requests[box]!.parts, parts, share),
    });
    const claims = certificate.boxes.map(({ difference: { lower, upper } }) =>
      Math.max(...upper, ...lower.map((value) => -value))
    );
    const bounded = certificate.boxes.reduce((sum, { tree }) => sum + (tree.length + 1) / 2, 0);
    return {
      bytes: encodeCertificate(certificate),
      facts: { claims: Math.max(...claims), parts: bounded },
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return none(error.message, context);
  }
}

function none(reason: string, context?: StageContext): MadeCertificate {
  context?.warn(`There is no certificate: ${reason}`);
  const file: NoCertificate = { format: FORMAT, version: VERSION, none: reason };
  return {
    bytes: new TextEncoder().encode(canonicalJson({ ...file }) + "\n"),
    facts: { none: reason },
  };
}

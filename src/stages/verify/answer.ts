/**
 * What the stage found out, as the JSON of its port `bracket`.
 *
 * @module
 */

import type { JsonValue } from "../../base/canonical_json.ts";
import type { Confirmed } from "../../verify/attack/found.ts";
import type { OutputBracket } from "../../verify/bracket.ts";
import type { Decomposition } from "../../verify/decompose.ts";
import type { NamedBox } from "../../verify/domain/input.ts";
import type { SearchResult } from "../../verify/split/search.ts";
import type { Parameters } from "./ports.ts";

/** All of one box of the domain. */
export interface DomainResult {
  readonly domain: NamedBox;
  readonly result: SearchResult;
  readonly confirmed: Confirmed;
  /** Whether the class provably cannot change; only where it was asked. */
  readonly kept: boolean | undefined;
}

/** Document and numbers. */
export interface Answer {
  readonly bracket: { readonly [field: string]: JsonValue };
  readonly metrics: Record<string, number>;
  readonly bound: number;
}

/** Puts everything together. */
export function answerOf(
  { method, semantics }: Parameters,
  domains: readonly DomainResult[],
  decomposition: { readonly domain: string; readonly parts: Decomposition } | undefined,
): Answer {
  const all = domains.flatMap(({ result }) => result.outputs);
  const bound = Math.max(...all.map(({ proven }) => proven));
  const found = Math.max(
    ...domains.flatMap(({ confirmed }) => confirmed.outputs.map((each) => each.found)),
  );
  const classified = domains.filter(({ kept }) => kept !== undefined);
  let first = 0;
  const documents = domains.map((each) => {
    const document = domainJson(each, first);
    first += each.confirmed.points.length;
    return document;
  });
  const bracket = {
    method,
    semantics,
    domains: documents,
    ...(decomposition && {
      decomposition: { domain: decomposition.domain, ...decomposition.parts },
    }),
  };
  const sum = (pick: (result: SearchResult) => number) =>
    domains.reduce((total, { result }) => total + pick(result), 0);
  return {
    bracket,
    bound,
    metrics: {
      bound: finite(bound),
      found,
      ratio: found === 0 ? (bound === 0 ? 1 : Number.MAX_VALUE) : finite(bound / found),
      settled: sum(({ settled }) => settled) / domains.length,
      boxes: sum(({ boxes }) => boxes),
      ...(classified.length > 0 && {
        certified_share: classified.filter(({ kept }) => kept).length / classified.length,
      }),
      ...(decomposition && shares(decomposition.parts)),
    },
  };
}

function shares({ total, weights, rounding, saturation, arithmetic }: Decomposition) {
  if (total === 0) return {};
  return {
    from_weights: weights / total,
    from_rounding: rounding / total,
    from_saturation: saturation / total,
    from_arithmetic: arithmetic / total,
  };
}

function domainJson(
  { domain: { name, label }, result, confirmed, kept }: DomainResult,
  first: number,
): JsonValue {
  const { outputs, boxes, splits, open, settled, left, omitted, standsStill } = result;
  return {
    name,
    ...(label === undefined ? {} : { label }),
    ...(kept === undefined ? {} : { kept }),
    boxes,
    splits,
    open,
    settled,
    // JSON has no infinity: there is no estimate.
    left: Number.isFinite(left) ? left : null,
    ...(omitted === undefined ? {} : { omitted }),
    ...(standsStill === undefined ? {} : { standsStill }),
    outputs: outputs.map((output, at) => outputJson(output, confirmed, at, first)),
  };
}

function outputJson(
  { proven, lower, upper }: OutputBracket,
  { points, outputs }: Confirmed,
  output: number,
  first: number,
): JsonValue {
  const { found, point } = outputs[output]!;
  const { evaluated, executed } = points[point]!;
  return {
    found,
    // JSON has no infinity: there is no bound.
    proven: Number.isFinite(proven) ? proven : null,
    lower: Number.isFinite(lower) ? lower : null,
    upper: Number.isFinite(upper) ? upper : null,
    witness: { item: first + point, evaluated: evaluated[output]!, executed: executed[output]! },
  };
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : Number.MAX_VALUE;
}

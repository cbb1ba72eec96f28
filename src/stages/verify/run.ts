/**
 * The work of the stage `verify`.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import type { JsonValue } from "../../base/canonical_json.ts";
import { UserError } from "../../base/errors.ts";
import type { InputArtifacts, StageRun } from "../../registry/stage.ts";
import type { OutputBracket } from "../../verify/bracket.ts";
import { ballDomain, boxDomain, vnnlibDomain } from "../../verify/domain/domains.ts";
import { type DomainInput, domainInput, type NamedBox } from "../../verify/domain/input.ts";
import { pairModels } from "../../verify/network/pair.ts";
import type { SearchProgress, SearchResult } from "../../verify/split/search.ts";
import { Verifier } from "../../verify/verify.ts";
import type { inputs, outputs, Parameters, parameters } from "./ports.ts";

export const run: StageRun<typeof parameters, typeof inputs, typeof outputs> = async (
  parameters,
  given,
  context,
) => {
  const [model, reference] = await Promise.all([given.model.load(), given.reference.load()]);
  const network = pairModels(reference, model);
  const domain = await domainOf(parameters, domainInput(reference), given);
  const { method, split, semantics, stop } = parameters;
  const results: { name: string; label?: number; result: SearchResult }[] = [];
  let done = 0;
  const report = (state?: SearchProgress) =>
    context.progress({
      phase: "bounding",
      done: done + (state?.settled ?? 0),
      total: domain.length,
      unit: "domains",
      ...(state && { values: { bound: state.proven, found: state.found } }),
    });
  await using verifier = new Verifier(network, {
    method,
    split,
    semantics,
    ratio: stop.ratio,
    threads: context.threads,
    signal: context.signal,
    progress: report,
    ...(stop.bound === undefined ? {} : { target: stop.bound }),
    ...(stop.boxes === undefined ? {} : { boxes: stop.boxes }),
    ...(stop.time === undefined ? {} : { time: stop.time * 1000 }),
  });
  for (const { name, label, box } of domain) {
    context.signal.throwIfAborted();
    report();
    const result = await verifier.verify(box);
    results.push({ name, ...(label === undefined ? {} : { label }), result });
    done++;
  }
  report();

  const all = results.flatMap(({ result }) => result.outputs);
  const bound = Math.max(...all.map(({ proven }) => proven));
  const found = Math.max(...all.map(({ found }) => found));
  if (bound === Infinity) {
    context.warn(
      "There is no finite bound: values grow beyond all numbers on this domain. Make it smaller",
    );
  }
  return {
    outputs: { bracket: { method, semantics, domains: results.map(toJson) } },
    metrics: {
      bound: finite(bound),
      found,
      ratio: found === 0 ? (bound === 0 ? 1 : Number.MAX_VALUE) : finite(bound / found),
      settled: results.reduce((sum, { result }) => sum + result.settled, 0) / results.length,
      boxes: results.reduce((sum, { result }) => sum + result.boxes, 0),
    },
  };
};

async function domainOf(
  { domain }: Parameters,
  input: DomainInput,
  { property, test }: InputArtifacts<typeof inputs>,
): Promise<NamedBox[]> {
  if (domain === "property") {
    if (property === undefined) {
      throw new UserError({
        message: "domain: property needs a VNN-LIB file",
        hint: "Name it under inputs, such as property: { file: prop_3.vnnlib }",
      });
    }
    const text = await readFile(property.path, "utf8");
    return vnnlibDomain(input, text, property.origin);
  }
  if ("box" in domain) return boxDomain(input, domain.box);
  if (test === undefined) {
    throw new UserError({
      message: "A domain with linf needs the data set that boxes are put around",
      hint: "Name it under inputs, such as test: { idx: … }",
    });
  }
  return await ballDomain(input, domain, await test.load(), test.origin);
}

function toJson(
  { name, label, result }: { name: string; label?: number; result: SearchResult },
): JsonValue {
  const { outputs, boxes, splits, open, settled } = result;
  return {
    name,
    ...(label === undefined ? {} : { label }),
    boxes,
    splits,
    open,
    settled,
    outputs: outputs.map(outputJson),
  };
}

function outputJson({ found, proven, lower, upper, witness }: OutputBracket): JsonValue {
  return {
    found,
    // JSON has no infinity: there is no bound.
    proven: Number.isFinite(proven) ? proven : null,
    lower: Number.isFinite(lower) ? lower : null,
    upper: Number.isFinite(upper) ? upper : null,
    witness: witness === undefined ? null : [...witness.input],
  };
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : Number.MAX_VALUE;
}

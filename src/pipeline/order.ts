/**
 * The order in which stages can run.
 *
 * @module
 */

import type { Source } from "./pipeline.ts";

/** A stage that takes something from the next one of a cycle. */
export interface Link<S extends { readonly id: string } = UnorderedStage> {
  readonly stage: S;
  readonly port: string;
}

interface UnorderedStage {
  readonly id: string;
  readonly index: number;
  readonly in: Readonly<Record<string, unknown>>;
}

/**
 * Sorts stages so that each comes after those it takes something from, else in the order of the file.
 *
 * @param inputs By stage id, then by port.
 * @returns The order, and one cycle if there is any; its stages and those behind it are not in the order.
 */
export function executionOrder<S extends UnorderedStage>(
  stages: readonly S[],
  inputs: ReadonlyMap<string, Iterable<readonly [port: string, source: Source]>>,
): { order: S[]; cycle: Link<S>[] | undefined } {
  const links = new Map<string, [port: string, id: string][]>();
  for (const { id } of stages) {
    const from = Array.from(inputs.get(id) ?? []).flatMap(([port, source]) =>
      source.from === "stage" ? [[port, source.id] as [string, string]] : []
    );
    links.set(id, from);
  }
  const order: S[] = [];
  const placed = new Set<string>();
  const left = new Set(stages);
  for (;;) {
    const next = [...left].find(({ id }) => links.get(id)!.every(([, from]) => placed.has(from)));
    if (next === undefined) break;
    left.delete(next);
    placed.add(next.id);
    order.push(next);
  }
  return { order, cycle: left.size === 0 ? undefined : findCycle(left, links) };
}

/** Every stage that is left waits for another one that is left: following them leads around. */
function findCycle<S extends UnorderedStage>(
  left: ReadonlySet<S>,
  links: ReadonlyMap<string, readonly [port: string, id: string][]>,
): Link<S>[] {
  const byId = new Map([...left].map((stage) => [stage.id, stage]));
  const walk: Link<S>[] = [];
  let [stage] = left;
  for (;;) {
    const again = walk.findIndex((link) => link.stage === stage);
    if (again >= 0) return fromFirst(walk.slice(again));
    const [port, id] = links.get(stage!.id)!.find(([, from]) => byId.has(from))!;
    walk.push({ stage: stage!, port });
    stage = byId.get(id);
  }
}

/** Turns a cycle so that it begins with the stage that comes first in the file. */
function fromFirst<S extends UnorderedStage>(cycle: readonly Link<S>[]): Link<S>[] {
  const indices = cycle.map(({ stage }) => stage.index);
  const start = indices.indexOf(Math.min(...indices));
  return [...cycle.slice(start), ...cycle.slice(0, start)];
}

/**
 * Finding blocks: places where the flow forks and joins again, as residual connections and modules of parallel
 * branches do.
 *
 * @module
 */

import type { ActivationFlow } from "../../onnx/flow.ts";
import type { Node } from "../../onnx/model.ts";
import type { LayerKinds } from "./layers.ts";
import { boundary, nodesBetween, type Part, weightsOf } from "./parts.ts";

/** More layers than the largest published modules have are no block but a network around a long connection. */
const MOST_LAYERS = 12;
/** Blocks within blocks: a residual connection around branches is the deepest that published modules have. */
const DEEPEST = 2;

/** The blocks of a graph, none inside another, in topological order. */
export function findBlocks(flow: ActivationFlow, kinds: LayerKinds): Part[] {
  const regions: Part[] = [];
  for (const node of flow.nodes) {
    const region = regionBefore(flow, kinds, node);
    if (region !== undefined && region.weights.length > 0) regions.push(region);
  }
  regions.sort((a, b) => b.nodes.size - a.nodes.size);
  const blocks: Part[] = [];
  regions.forEach((region, index) => {
    if (blocks.some((block) => contains(block, region))) return;
    const inner = regions.slice(index + 1).filter((other) => contains(region, other));
    if (isBlock(flow, region, inner)) blocks.push(region);
  });
  return blocks.sort((a, b) => flow.position(a.exit) - flow.position(b.exit));
}

/** The region between a node in which branches join and the point where they fork, if nothing else leaves it. */
function regionBefore(flow: ActivationFlow, kinds: LayerKinds, join: Node): Part | undefined {
  const makers = new Set(flow.reads(join).map((value) => flow.maker(value)));
  const point = makers.size < 2 ? undefined : flow.dominator(join);
  if (point === undefined) return undefined;
  let nodes: ReadonlySet<Node> = nodesBetween(flow, point, join);
  let { inputs, outputs } = boundary(flow, nodes);
  if (inputs.length > 1 && typeof point !== "string" && !kinds.hasWeight(point)) {
    // A Split is itself the fork.
    nodes = new Set([point, ...nodes]);
    ({ inputs, outputs } = boundary(flow, nodes));
  }
  if (inputs.length !== 1 || outputs.length !== 1 || outputs[0] !== join.outputs[0]) {
    return undefined;
  }
  return {
    kind: "block",
    nodes,
    exit: join,
    join: join.opType,
    weights: weightsOf(flow, kinds, nodes),
  };
}

/** Whether a region is one block, rather than a stretch of network with blocks in it. */
function isBlock(flow: ActivationFlow, region: Part, inner: readonly Part[]): boolean {
  if (region.weights.length > MOST_LAYERS) return false;
  // Gates and attention maps, which multiply, are parts of the block around them.
  const modules = inner.filter((part) => /^(Add|Sum|Concat)$/.test(part.join!));
  const inSeries = modules.some((first) =>
    modules.some((second) =>
      !contains(first, second) && !contains(second, first) &&
      flow.dominates(first.exit, second.exit)
    )
  );
  return !inSeries && depth(modules) < DEEPEST;
}

/** How many parts lie one inside another at most. */
function depth(parts: readonly Part[]): number {
  let deepest = 0;
  for (const part of parts) {
    deepest = Math.max(deepest, parts.filter((other) => contains(other, part)).length);
  }
  return deepest;
}

/** Whether all nodes of a part are in another; a part contains itself. */
function contains(outer: Part, inner: Part): boolean {
  return inner.nodes.size <= outer.nodes.size && isSubset(inner.nodes, outer.nodes);
}

function isSubset(inner: ReadonlySet<Node>, outer: ReadonlySet<Node>): boolean {
  for (const node of inner) if (!outer.has(node)) return false;
  return true;
}

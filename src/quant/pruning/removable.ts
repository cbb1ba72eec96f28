/**
 * Which channels of a network can be taken out of it.
 *
 * @module
 */

import { getInt } from "../../onnx/attributes.ts";
import { constantValue } from "../../onnx/edit.ts";
import type { Graph, Node } from "../../onnx/model.ts";
import { elementCount } from "../../onnx/tensor.ts";
import { findLinks, type Link, type LinkEnd } from "../equalization/links.ts";
import type { ChannelLayer } from "../layer_channels.ts";

/** The channels that one layer makes, with everything that has a part for each of them. */
export interface RemovableChannels {
  readonly first: ChannelLayer;
  /** Layers behind it that take every channel by itself, in no order. */
  readonly depthwise: readonly ChannelLayer[];
  /** The layers that add the channels up. What a channel gives them is nothing where it is zero. */
  readonly readers: readonly LinkEnd[];
  /** The operators between them, in no order. */
  readonly path: readonly Node[];
  /** The values between them, with the channels along their second dimension. */
  readonly values: readonly string[];
}

/** Finds the channels of all layers whose outputs only layers read, through operators that work channel by channel. */
export function findRemovable(graph: Graph): RemovableChannels[] {
  const links = new Map(findLinks(graph, true).map((link) => [link.first.node, link]));
  const found: RemovableChannels[] = [];
  for (const link of links.values()) {
    if (groupsOf(link.first) !== 1) continue;
    const all = follow(link, links);
    if (all?.path.every((node) => isByChannel(graph, node, all.first.outputs))) found.push(all);
  }
  return found;
}

/** Follows channels through depthwise layers up to the layers that add them up. */
function follow(link: Link, links: ReadonlyMap<Node, Link>): RemovableChannels | undefined {
  const depthwise: ChannelLayer[] = [];
  const readers: LinkEnd[] = [];
  const path: Node[] = [];
  const values: string[] = [];
  const pending = [link];
  while (pending.length > 0) {
    const next = pending.pop()!;
    path.push(...next.path);
    values.push(...next.values);
    for (const end of next.seconds) {
      if (groupsOf(end.layer) === 1) {
        readers.push(end);
        continue;
      }
      const behind = links.get(end.layer.node);
      if (!isDepthwise(end.layer) || behind === undefined) return undefined;
      depthwise.push(end.layer);
      pending.push(behind);
    }
  }
  return { first: link.first, depthwise, readers, path, values };
}

/** Whether what an operator says of positions, it says of whole channels. */
function isByChannel(graph: Graph, node: Node, channels: number): boolean {
  if (node.opType !== "PRelu") return true;
  const slope = constantValue(graph, node.inputs[1]!)!.dims;
  if (elementCount(slope) === 1) return true;
  const rank = graph.values.get(node.outputs[0]!)?.dims?.length;
  return elementCount(slope) === channels && rank !== undefined &&
    slope[slope.length - rank + 1] === channels;
}

function groupsOf({ node }: ChannelLayer): number {
  return node.opType === "Conv" ? getInt(node, "group", 1) : 1;
}

function isDepthwise(layer: ChannelLayer): boolean {
  const groups = groupsOf(layer);
  return groups === layer.inputs && groups === layer.outputs;
}

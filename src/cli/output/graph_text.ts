/**
 * A pipeline's graph as text, for a terminal and as Mermaid.
 *
 * @module
 */

import { padText, printable, type Style, textWidth } from "../../base/terminal_text.ts";
import type { GraphNode, PipelineGraph } from "../../pipeline/graph.ts";

/** Each stage with what it takes. */
export function graphLines({ nodes, edges }: PipelineGraph, style: Style): string[] {
  const names = nodes.map((node) => printable(titleOf(node)));
  const width = Math.max(...names.map(textWidth));
  const whats = Math.max(...nodes.map(({ what }) => textWidth(what)));
  return nodes.map(({ id, type, what }, index) => {
    const taken = edges.filter(({ to }) => to === id)
      .map(({ port, artifact }) => nameOfFlow(port, artifact));
    const name = padText(names[index]!, width);
    const from = taken.length === 0 ? "" : `  ← ${printable(taken.join(", "))}`;
    const shown = type === "stage" ? style.bold(name) : name;
    return `${shown}  ${style.dim(padText(what, whats))}${from}`.trimEnd();
  });
}

/** A flowchart that GitHub and others draw where Markdown has a block `mermaid`. */
export function mermaidLines({ nodes, edges }: PipelineGraph): string[] {
  const ids = new Map(nodes.map(({ id }, index) => [id, `n${index}`]));
  return [
    "flowchart TD",
    ...nodes.map((node) => `  ${ids.get(node.id)}${shape(node)}`),
    ...edges.map(({ from, to, port, artifact }) =>
      `  ${ids.get(from)} -->|${mermaidText(label(port, artifact))}| ${ids.get(to)}`
    ),
  ];
}

/** What a node is called, with how many items it stands for. */
export function titleOf({ id, items }: GraphNode): string {
  return items === undefined ? id : `${id} ×${items}`;
}

function shape(node: GraphNode): string {
  const { id, type, what } = node;
  const title = titleOf(node);
  return type === "input"
    ? `(${mermaidText(`${title} (${what})`)})`
    : `[${mermaidText(id === what ? title : `${title} (${what})`)}]`;
}

/** In quotes, only entities are special. */
function mermaidText(text: string): string {
  return `"${
    text.replace(/[&"<>#]/g, (character) => `#${character.charCodeAt(0)};`).replaceAll("\n", " ")
  }"`;
}

/** The artifact, and the port where it has another name. */
function nameOfFlow(port: string, artifact: string): string {
  return outputOf(artifact) === port ? artifact : `${artifact} as ${port}`;
}

function label(port: string, artifact: string): string {
  const output = outputOf(artifact);
  return output === port ? output : `${output} as ${port}`;
}

function outputOf(artifact: string): string {
  return artifact.slice(artifact.lastIndexOf(".") + 1);
}

/**
 * A pipeline as a graph: its inputs and stages, and what flows between them.
 *
 * @module
 */

import { type Pipeline, type Source, sourceName } from "./pipeline.ts";

/** An input or a stage. */
export interface GraphNode {
  /** `"inputs.test"`, `"w4"` */
  readonly id: string;
  readonly type: "input" | "stage";
  /** The stage's name in the registry, or the input's kind. */
  readonly what: string;
}

/** An artifact that flows. */
export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  /** `"w4.model"`, `"inputs.test"` */
  readonly artifact: string;
  /** The port that takes it. */
  readonly port: string;
}

/** Nodes in an order in which every edge goes forward. */
export interface PipelineGraph {
  readonly name: string;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** The graph of a pipeline. */
export function graphOf({ name, inputs, stages }: Pipeline): PipelineGraph {
  const nodes: GraphNode[] = [];
  for (const { name, kind } of inputs.values()) {
    nodes.push({ id: `inputs.${name}`, type: "input", what: kind });
  }
  const edges: GraphEdge[] = [];
  for (const { id, stage, inputs } of stages) {
    nodes.push({ id, type: "stage", what: stage.definition.name });
    for (const [port, source] of inputs) {
      edges.push({ from: nodeOf(source), to: id, artifact: sourceName(source), port });
    }
  }
  return { name, nodes, edges };
}

function nodeOf(source: Source): string {
  return source.from === "inputs" ? sourceName(source) : source.id;
}

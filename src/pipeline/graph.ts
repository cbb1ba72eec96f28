/**
 * A pipeline as a graph: its inputs and stages, and what flows between them.
 *
 * @module
 */

import { type Pipeline, portOf, type Source, sourceName } from "./pipeline.ts";

/** An input or a stage. */
export interface GraphNode {
  /** `"inputs.test"`, `"w4"` */
  readonly id: string;
  readonly type: "input" | "stage";
  /** The stage's name in the registry, or the input's kind. */
  readonly what: string;
  /** How many items of a matrix it stands for. */
  readonly items?: number;
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

/**
 * The graph of a pipeline.
 *
 * @param options.items Whether each item of a matrix is a node; else the items of an entry are one.
 */
export function graphOf(
  { name, inputs, stages }: Pipeline,
  { items = false }: { readonly items?: boolean } = {},
): PipelineGraph {
  const entryOf = new Map(stages.map(({ id, entry }) => [id, items ? id : entry]));
  const nodes = new Map<string, GraphNode>();
  for (const { name, kind } of inputs.values()) {
    nodes.set(`inputs.${name}`, { id: `inputs.${name}`, type: "input", what: kind });
  }
  const edges = new Map<string, GraphEdge>();
  for (const { id, stage, item, inputs } of stages) {
    const to = entryOf.get(id)!;
    const count = (nodes.get(to)?.items ?? 0) + 1;
    nodes.set(to, {
      id: to,
      type: "stage",
      what: stage.definition.name,
      ...(!items && item.size > 0 && { items: count }),
    });
    for (const [key, source] of inputs) {
      const port = portOf(key);
      const from: Source = source.from === "inputs"
        ? source
        : { ...source, id: entryOf.get(source.id)! };
      const edge = { from: nodeOf(from), to, artifact: sourceName(from), port };
      edges.set(JSON.stringify(edge), edge);
    }
  }
  return { name, nodes: [...nodes.values()], edges: [...edges.values()] };
}

function nodeOf(source: Source): string {
  return source.from === "inputs" ? sourceName(source) : source.id;
}

/**
 * Where to draw the nodes of a directed graph without circles: in layers from top to bottom, every edge downwards,
 * with few crossings (Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system
 * structures", 1981).
 *
 * @module
 */

/** A node with its size. */
export interface LayoutNode {
  readonly id: string;
  readonly width: number;
  readonly height: number;
}

/** An edge between two nodes by id. */
export interface LayoutEdge {
  readonly from: string;
  readonly to: string;
}

/** Space between nodes. */
export interface LayoutOptions {
  /** Between neighbours in a layer. */
  readonly columnGap: number;
  /** Between layers. */
  readonly rowGap: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A node with its place. */
export interface PlacedNode extends LayoutNode {
  /** Left edge. */
  readonly x: number;
  /** Upper edge. */
  readonly y: number;
  /** From 0, at the top. */
  readonly layer: number;
}

/**
 * An edge with its way: from the middle of a lower edge to the middle of an upper one. Through a layer between, it goes
 * straight down.
 */
export interface PlacedEdge extends LayoutEdge {
  readonly points: readonly Point[];
}

/** A drawing; nothing in it is left of or above 0. */
export interface GraphLayout {
  readonly width: number;
  readonly height: number;
  /** In the order they were given. */
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
}

/** Something that takes place in a layer: a node, or a point where a long edge passes. */
interface Cell {
  readonly id: string;
  readonly layer: number;
  readonly width: number;
  readonly height: number;
  readonly above: Cell[];
  readonly below: Cell[];
  /** Place in the layer, from 0. */
  rank: number;
  /** Of the middle. */
  x: number;
}

const ORDER_SWEEPS = 12;
const PLACE_SWEEPS = 12;
/** Bends in a long edge are worse than edges that are not vertical. */
const PASSING_WEIGHT = 4;

/**
 * Lays out a graph. The same graph always gets the same drawing.
 *
 * @throws {RangeError} If two nodes have one id, an edge ends at no node, or edges go in a circle.
 */
export function layoutGraph(
  nodes: readonly LayoutNode[],
  edges: readonly LayoutEdge[],
  { columnGap, rowGap }: LayoutOptions,
): GraphLayout {
  const layerOf = assignLayers(nodes, edges);
  const cells = new Map(nodes.map((node) => [node.id, cell(node, layerOf.get(node.id)!)]));
  const all = [...cells.values()];
  const ways = edges.map(({ from, to }) => {
    const way = [cells.get(from)!];
    const end = cells.get(to)!;
    for (let layer = way[0]!.layer + 1; layer < end.layer; layer++) {
      const passing = cell({ id: "", width: 0, height: 0 }, layer);
      all.push(passing);
      way.push(passing);
    }
    way.push(end);
    for (let at = 1; at < way.length; at++) {
      way[at - 1]!.below.push(way[at]!);
      way[at]!.above.push(way[at - 1]!);
    }
    return way;
  });
  const layers: Cell[][] = [];
  for (const each of all) (layers[each.layer] ??= []).push(each);
  orderLayers(layers);
  placeInLayers(layers, columnGap);

  const left = Math.min(0, ...all.map(({ x, width }) => x - width / 2));
  let height = 0;
  const rows = layers.map((layer) => {
    const top = height;
    const tallest = Math.max(...layer.map((each) => each.height));
    height += tallest + rowGap;
    return { top, middle: top + tallest / 2, bottom: top + tallest };
  });
  const topOf = (each: Cell) => rows[each.layer]!.middle - each.height / 2;
  return {
    width: Math.max(0, ...all.map(({ x, width }) => x + width / 2)) - left,
    height: Math.max(0, height - rowGap),
    nodes: nodes.map((node) => {
      const placed = cells.get(node.id)!;
      const x = placed.x - node.width / 2 - left;
      return { ...node, x, y: topOf(placed), layer: placed.layer };
    }),
    edges: ways.map((way, index) => ({
      ...edges[index]!,
      points: way.flatMap((each, at) => {
        const x = each.x - left;
        if (at === 0) return [{ x, y: topOf(each) + each.height }];
        if (at === way.length - 1) return [{ x, y: topOf(each) }];
        const { top, bottom } = rows[each.layer]!;
        return [{ x, y: top }, { x, y: bottom }];
      }),
    })),
  };
}

function cell({ id, width, height }: LayoutNode, layer: number): Cell {
  return { id, width, height, layer, above: [], below: [], rank: 0, x: 0 };
}

/** The length of the longest way to each node. */
function assignLayers(
  nodes: readonly LayoutNode[],
  edges: readonly LayoutEdge[],
): Map<string, number> {
  const waiting = new Map<string, number>(nodes.map(({ id }) => [id, 0]));
  if (waiting.size < nodes.length) throw new RangeError("Two nodes have the same id");
  const next = new Map<string, string[]>(nodes.map(({ id }) => [id, []]));
  for (const { from, to } of edges) {
    if (!waiting.has(from) || !waiting.has(to)) {
      throw new RangeError(`Edge from "${from}" to "${to}" does not join two nodes`);
    }
    waiting.set(to, waiting.get(to)! + 1);
    next.get(from)!.push(to);
  }
  const layers = new Map<string, number>();
  const open = nodes.map(({ id }) => id).filter((id) => waiting.get(id) === 0);
  for (const id of open) layers.set(id, 0);
  let done = 0;
  for (; done < open.length; done++) {
    const id = open[done]!;
    for (const to of next.get(id)!) {
      layers.set(to, Math.max(layers.get(to) ?? 0, layers.get(id)! + 1));
      waiting.set(to, waiting.get(to)! - 1);
      if (waiting.get(to) === 0) open.push(to);
    }
  }
  if (done < nodes.length) throw new RangeError("The edges go in a circle");
  return layers;
}

/** Orders each layer by the mean place of its neighbours, down and up in turn, and keeps the best order. */
function orderLayers(layers: readonly Cell[][]): void {
  layers.forEach(setRanks);
  let best = layers.map((layer) => [...layer]);
  let fewest = crossings(layers);
  for (let sweep = 0; sweep < ORDER_SWEEPS && fewest > 0; sweep++) {
    const down = sweep % 2 === 0;
    for (const layer of down ? layers : layers.toReversed()) {
      const center = new Map(layer.map((each) => {
        const neighbours = down ? each.above : each.below;
        return [each, neighbours.length === 0 ? each.rank : mean(neighbours, ({ rank }) => rank)];
      }));
      layer.sort((a, b) => center.get(a)! - center.get(b)! || a.rank - b.rank);
      setRanks(layer);
    }
    const count = crossings(layers);
    if (count >= fewest) continue;
    fewest = count;
    best = layers.map((layer) => [...layer]);
  }
  best.forEach((layer, index) => {
    layers[index]!.splice(0, layer.length, ...layer);
    setRanks(layer);
  });
}

function setRanks(layer: readonly Cell[]): void {
  layer.forEach((each, rank) => each.rank = rank);
}

function crossings(layers: readonly (readonly Cell[])[]): number {
  let count = 0;
  for (const layer of layers) {
    const ends = layer.flatMap(({ below }) => below.map(({ rank }) => rank).sort((a, b) => a - b));
    for (let right = 1; right < ends.length; right++) {
      for (let left = 0; left < right; left++) if (ends[left]! > ends[right]!) count++;
    }
  }
  return count;
}

/** Moves cells towards the middle of their neighbours as far as the order and the gaps allow. */
function placeInLayers(layers: readonly (readonly Cell[])[], gap: number): void {
  for (const layer of layers) moveTo(layer, layer.map(() => 0), gap);
  for (let sweep = 0; sweep < PLACE_SWEEPS; sweep++) {
    for (const layer of sweep % 2 === 0 ? layers : layers.toReversed()) {
      const wanted = layer.map((each) => {
        const neighbours = sweep % 2 === 0 ? each.above : each.below;
        return neighbours.length === 0 ? each.x : mean(neighbours, ({ x }) => x);
      });
      moveTo(layer, wanted, gap);
    }
  }
}

/** The places with the least sum of squared distances to the wanted ones, at least a gap apart. */
function moveTo(layer: readonly Cell[], wanted: readonly number[], gap: number): void {
  // Less the least distances, places only have to ascend: isotonic regression by pooling adjacent violators.
  const offsets: number[] = [];
  layer.forEach(({ width }, at) => {
    offsets.push(at === 0 ? 0 : offsets[at - 1]! + layer[at - 1]!.width / 2 + gap + width / 2);
  });
  const pools: { place: number; weight: number; size: number }[] = [];
  layer.forEach((each, at) => {
    const weight = each.id === "" ? PASSING_WEIGHT : 1;
    let pool = { place: wanted[at]! - offsets[at]!, weight, size: 1 };
    for (let last = pools.at(-1); last !== undefined && last.place > pool.place;) {
      const sum = last.weight + pool.weight;
      pool = {
        place: (last.place * last.weight + pool.place * pool.weight) / sum,
        weight: sum,
        size: last.size + pool.size,
      };
      pools.pop();
      last = pools.at(-1);
    }
    pools.push(pool);
  });
  let at = 0;
  for (const { place, size } of pools) {
    for (let count = 0; count < size; count++, at++) layer[at]!.x = place + offsets[at]!;
  }
}

function mean(cells: readonly Cell[], value: (cell: Cell) => number): number {
  return cells.reduce((sum, each) => sum + value(each), 0) / cells.length;
}

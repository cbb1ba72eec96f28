import assert from "node:assert/strict";
import fc from "fast-check";
import { type GraphLayout, layoutGraph } from "../../src/base/graph_layout.ts";

const GAPS = { columnGap: 10, rowGap: 20 };
const node = (id: string, width = 60, height = 30) => ({ id, width, height });
const edge = (text: string) => {
  const [from, to] = text.split(">") as [string, string];
  return { from, to };
};

function placesOf({ nodes }: GraphLayout): Record<string, [x: number, y: number]> {
  return Object.fromEntries(nodes.map(({ id, x, y }) => [id, [x, y]]));
}

Deno.test("a chain is a column", () => {
  const layout = layoutGraph(
    ["a", "b", "c"].map((id) => node(id)),
    [edge("a>b"), edge("b>c")],
    GAPS,
  );
  assert.deepEqual(placesOf(layout), { a: [0, 0], b: [0, 50], c: [0, 100] });
  assert.deepEqual([layout.width, layout.height], [60, 130]);
  assert.deepEqual(layout.edges[0]!.points, [{ x: 30, y: 30 }, { x: 30, y: 50 }]);
});

Deno.test("a node stands over the middle of what follows it", () => {
  const layout = layoutGraph(
    ["a", "b", "c"].map((id) => node(id)),
    [edge("a>b"), edge("a>c")],
    GAPS,
  );
  assert.deepEqual(placesOf(layout), { a: [35, 0], b: [0, 50], c: [70, 50] });
});

Deno.test("an edge over several layers passes beside the nodes between", () => {
  const layout = layoutGraph(
    ["a", "b", "c"].map((id) => node(id)),
    [edge("a>b"), edge("b>c"), edge("a>c")],
    GAPS,
  );
  const passing = layout.edges[2]!.points[1]!;
  const between = layout.nodes[1]!;
  assert.ok(passing.x <= between.x - 10 || passing.x >= between.x + 70, JSON.stringify(layout));
});

Deno.test("edges that can go without crossing do", () => {
  const ids = ["a", "b", "c", "x", "y", "z"];
  const layout = layoutGraph(ids.map((id) => node(id)), ["a>z", "b>y", "c>x"].map(edge), GAPS);
  const at = placesOf(layout);
  const above = ["a", "b", "c"].toSorted((a, b) => at[a]![0] - at[b]![0]);
  const below = ["z", "y", "x"].toSorted((a, b) => at[a]![0] - at[b]![0]);
  assert.deepEqual(above.map((id) => ({ a: "z", b: "y", c: "x" })[id]), below);
});

Deno.test("what is no graph without circles is refused", () => {
  const [a, b] = [node("a"), node("b")];
  assert.throws(() => layoutGraph([a, b], [edge("a>b"), edge("b>a")], GAPS), /circle/);
  assert.throws(() => layoutGraph([a], [edge("a>b")], GAPS), /"a" to "b" does not join/);
  assert.throws(() => layoutGraph([a, a], [], GAPS), /same id/);
  assert.deepEqual(layoutGraph([], [], GAPS), { width: 0, height: 0, nodes: [], edges: [] });
});

/** Graphs whose edges lead from earlier nodes to later ones, given in any order. */
const graphs = fc.integer({ min: 2, max: 14 }).chain((count) =>
  fc.record({
    nodes: fc.array(
      fc.record({
        width: fc.integer({ min: 1, max: 80 }),
        height: fc.integer({ min: 1, max: 40 }),
      }),
      {
        minLength: count,
        maxLength: count,
      },
    ),
    edges: fc.uniqueArray(
      fc.tuple(fc.nat(count - 1), fc.nat(count - 1)).filter(([a, b]) => a !== b).map(([a, b]) => ({
        from: `n${Math.min(a, b)}`,
        to: `n${Math.max(a, b)}`,
      })),
      { maxLength: 25, selector: ({ from, to }) => `${from} ${to}` },
    ),
    order: fc.shuffledSubarray(Array.from({ length: count }, (_, index) => index), {
      minLength: count,
    }),
  })
);

Deno.test("in any drawing nodes keep their distance, edges go down, and nothing is outside", () => {
  fc.assert(fc.property(graphs, ({ nodes, edges, order }) => {
    const given = order.map((index) => ({ id: `n${index}`, ...nodes[index]! }));
    const layout = layoutGraph(given, edges, GAPS);
    assert.deepEqual(layout, layoutGraph(given, edges, GAPS));
    assert.deepEqual(layout.nodes.map(({ id }) => id), given.map(({ id }) => id));
    const { width, height } = layout;
    const slack = 1e-6;
    for (const a of layout.nodes) {
      assert.ok(a.x >= -slack && a.y >= 0 && a.x + a.width <= width + slack);
      assert.ok(a.y + a.height <= height + slack);
      for (const b of layout.nodes) {
        if (a === b) continue;
        if (a.layer === b.layer) {
          const distance = Math.max(b.x - a.x - a.width, a.x - b.x - b.width);
          assert.ok(distance >= GAPS.columnGap - slack, `${a.id} and ${b.id}: ${distance}`);
        } else if (a.layer < b.layer) assert.ok(a.y + a.height + GAPS.rowGap <= b.y + slack);
      }
    }
    const byId = new Map(layout.nodes.map((each) => [each.id, each]));
    for (const { from, to, points } of layout.edges) {
      const [a, b] = [byId.get(from)!, byId.get(to)!];
      assert.equal(points.length, 2 * (b.layer - a.layer));
      assert.deepEqual([points[0]!.y, points.at(-1)!.y], [a.y + a.height, b.y]);
      for (let at = 1; at < points.length; at++) assert.ok(points[at]!.y > points[at - 1]!.y);
      for (const { x } of points) assert.ok(x >= -slack && x <= width + slack);
      for (const passed of layout.nodes) {
        if (passed.layer <= a.layer || passed.layer >= b.layer) continue;
        const { x } = points[2 * (passed.layer - a.layer) - 1]!;
        const distance = Math.max(passed.x - x, x - passed.x - passed.width);
        assert.ok(distance >= GAPS.columnGap - slack, `${from} to ${to} by ${passed.id}`);
      }
    }
  }));
});

/**
 * Random graphs of integer operators, some inside `If` nodes that capture outer values.
 *
 * @module
 */

import fc from "fast-check";
import { graphAttribute } from "../../src/onnx/attributes.ts";
import { GraphBuilder } from "../../src/onnx/build.ts";
import type { Graph } from "../../src/onnx/model.ts";
import { scalar } from "../../src/onnx/tensor.ts";

/** What a random graph is made from: one step a node. */
export interface GraphPlan {
  readonly steps: readonly {
    readonly operator: "Add" | "Sub" | "Mul" | "If";
    readonly reads: readonly [number, number, number];
    readonly constant: number;
  }[];
  readonly outputs: readonly number[];
}

/** Plans of graphs with up to 12 nodes and up to 3 outputs. */
export const graphPlan: fc.Arbitrary<GraphPlan> = fc.record({
  steps: fc.array(
    fc.record({
      operator: fc.constantFrom("Add" as const, "Sub" as const, "Mul" as const, "If" as const),
      reads: fc.tuple(fc.nat(), fc.nat(), fc.nat()),
      constant: fc.integer({ min: -9, max: 9 }),
    }),
    { minLength: 1, maxLength: 12 },
  ),
  outputs: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
});

/** The graph of a plan, with inputs `a` and `b`. */
export function buildGraph({ steps, outputs }: GraphPlan): Graph {
  const builder = new GraphBuilder();
  const values = [builder.input("a", "float32", []), builder.input("b", "float32", [])];
  const made: string[] = [];
  for (const { operator, reads, constant } of steps) {
    const pick = (choice: number) => values[choice % values.length]!;
    const [first, second, third] = reads.map(pick) as [string, string, string];
    const value = operator === "If"
      ? conditional(builder, first, second, third, constant)
      : builder.op(operator, [first, second]);
    values.push(value, builder.constant(scalar(constant)));
    made.push(value);
  }
  for (const name of new Set(outputs.map((choice) => made[choice % made.length]!))) {
    builder.output(name);
  }
  return builder.graph();
}

/** An `If` whose first branch captures both values and whose second has another `If` inside that captures one. */
function conditional(
  builder: GraphBuilder,
  condition: string,
  left: string,
  right: string,
  constant: number,
): string {
  const then = new GraphBuilder("then", builder);
  then.output(then.op("Sub", [then.op("Mul", [left, right]), then.constant(constant)]));
  const otherwise = new GraphBuilder("else", builder);
  const inner = ["inner then", "inner else"].map((name) => {
    const body = new GraphBuilder(name, otherwise);
    body.output(body.op("Add", [right, body.constant(constant)]));
    return graphAttribute(body.graph());
  });
  otherwise.output(
    otherwise.op("If", [left], { then_branch: inner[0]!, else_branch: inner[1]! }),
  );
  return builder.op("If", [condition], {
    then_branch: graphAttribute(then.graph()),
    else_branch: graphAttribute(otherwise.graph()),
  });
}

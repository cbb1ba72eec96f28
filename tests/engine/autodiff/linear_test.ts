import { float } from "../../../src/onnx/attributes.ts";
import { broadcastable, pick, sample, shape, testRule } from "./gradient_check.ts";

const f64 = { type: "float64" } as const;

testRule("Gemm", f64, (random) => {
  const [m, n, k] = shape(random, 3) as [number, number, number];
  const [transA, transB] = [random.integer(2), random.integer(2)];
  const attributes = {
    transA,
    transB,
    alpha: float(pick(random, [1, 0.5, -2])),
    beta: float(pick(random, [1, 0.25])),
  };
  const variables = [
    sample(random, transA ? [k, m] : [m, k]),
    sample(random, transB ? [n, k] : [k, n]),
  ];
  if (random.integer(3) > 0) variables.push(sample(random, broadcastable(random, [m, n])));
  return { variables, build: (builder, names) => builder.op("Gemm", names, attributes) };
});

testRule("MatMul", f64, (random) => {
  const [m, n, k] = shape(random, 3) as [number, number, number];
  const batch = shape(random, random.integer(3), 3);
  const some = () => broadcastable(random, batch);
  const [a, b] = pick(random, [
    () => [[...some(), m, k], [...some(), k, n]],
    () => [[...some(), m, k], [k, n]],
    () => [[m, k], [...some(), k, n]],
    () => [[k], [...some(), k, n]],
    () => [[...some(), m, k], [k]],
    () => [[k], [k]],
  ])() as [number[], number[]];
  return {
    variables: [sample(random, a), sample(random, b)],
    build: (builder, names) => builder.op("MatMul", names),
  };
});

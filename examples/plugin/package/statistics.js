/** The root of the mean of squares. */
export function rootMeanSquare(values) {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum / values.length);
}

/** The weights of a model: its float tensors of two and more dimensions, by name. */
export function* weightsOf(model) {
  for (const [name, tensor] of model.graph.initializers) {
    if (tensor.type === "float32" && tensor.dims.length >= 2) yield [name, tensor];
  }
}

/**
 * Neurons of one layer on one box as linear forms of the inputs and of what is relaxed in front of them.
 *
 * Neurons that are off in both networks are left out, and those that both pass on are put in place of what reads them.
 * What is left are relaxed neurons j with a = relu(z), b = relu(y) and g = a − b:
 *
 *     zᵢ = Pᵢ·x + Σⱼ Mᵢⱼ·aⱼ + cᵢ,  yᵢ = P′ᵢ·x + Σⱼ Kᵢⱼ·bⱼ + c′ᵢ,  eᵢ = zᵢ − yᵢ = Qᵢ·x + Σⱼ (Nᵢⱼ·aⱼ + Kᵢⱼ·gⱼ) + dᵢ,
 *
 * each up to noise, which takes in what other arithmetic would make of it and the roundings of the forms themselves.
 *
 * @module
 */

/** Rows of numbers, one a neuron. Columns are inputs, a 1, and groups of neurons by layer, each filled up by zeros. */
export interface Matrices {
  /** The address of [P | c | M]. */
  z: number;
  /** Of [Q | d | N]. */
  a: number;
  /** Of [P′ | c′ | K]. */
  g: number;
  columns: number;
}

/** How large something is at most in z, y and e, one number a row or column. */
export interface Sizes {
  readonly z: Float64Array;
  readonly y: Float64Array;
  readonly e: Float64Array;
}

/** How noise of neurons that were passed on reaches others, with how large it is by column. */
export interface NoiseForms extends Matrices {
  readonly sizes: Sizes;
}

/** The forms of one layer. There is one for all boxes: making those of the next box takes its place. */
export interface LayerForms extends Matrices {
  /** The number of the layer. */
  readonly layer: number;
  /** The neurons that have rows, in their order; the first `count` count. */
  readonly live: Int32Array;
  count: number;
  /** All that a form is off by. */
  readonly noise: Sizes;
  /** Of that, what the layer itself adds. */
  readonly own: Sizes;
  /** Of that, what neurons that read it take over as it is. */
  readonly rest: Sizes;
  /** The others' noise as forms; only where noise is more than roundings of the bounds. */
  readonly noisy: NoiseForms | undefined;
  /** Rows of neurons that are relaxed; the first `relaxedCount` count. */
  readonly relaxed: Int32Array;
  relaxedCount: number;
  /** Rows of those that are passed on. */
  readonly passed: Int32Array;
  passedCount: number;
  /** The address of where rows of relaxed neurons begin, relative to a matrix. */
  offsets: number;
  /** The address of their relaxations. */
  records: number;
  /** The address of what relaxations cost. */
  gaps: number;
}

/**
 * Forms to be filled in.
 *
 * @param columns That forms of noise have at most; `undefined` where it is not told apart.
 */
export function newForms(layer: number, size: number, columns: number | undefined): LayerForms {
  const noise = newSizes(size);
  return {
    z: 0,
    a: 0,
    g: 0,
    columns: 0,
    layer,
    live: new Int32Array(size),
    count: 0,
    noise,
    // Roundings of the bounds are too small to be told apart.
    own: columns === undefined ? noise : newSizes(size),
    rest: columns === undefined ? noise : newSizes(size),
    noisy: columns === undefined
      ? undefined
      : { z: 0, a: 0, g: 0, columns: 0, sizes: newSizes(columns) },
    relaxed: new Int32Array(size),
    relaxedCount: 0,
    passed: new Int32Array(size),
    passedCount: 0,
    offsets: 0,
    records: 0,
    gaps: 0,
  };
}

/** Sizes to be filled in. */
export function newSizes(count: number): Sizes {
  return {
    z: new Float64Array(count),
    y: new Float64Array(count),
    e: new Float64Array(count),
  };
}

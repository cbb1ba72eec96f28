/**
 * Chosen widths, as they go from a search to the quantizer.
 *
 * @module
 */

/** The width of each layer's weights, and of activations. */
export interface Assignment {
  readonly version: 1;
  /** By name of the node with the weights. */
  readonly layers: Readonly<Record<string, { readonly weights: number }>>;
  /** By name of the value whose statistics give the scale. */
  readonly activations?: Readonly<Record<string, { readonly bits: number }>>;
}

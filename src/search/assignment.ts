/**
 * Chosen widths, as they go from a search to the quantizer.
 *
 * @module
 */

/** The width of each layer's weights. */
export interface Assignment {
  readonly version: 1;
  /** By name of the node with the weights. */
  readonly layers: Readonly<Record<string, { readonly weights: number }>>;
}

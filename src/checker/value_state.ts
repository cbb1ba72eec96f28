/**
 * What is known of the values of both networks on a box.
 *
 * @module
 */

import { down, up } from "./rounding.ts";

/** Bounds of z of the original network, y of the quantized one, and e = z − y, for each element of a value. */
export class ValueState {
  readonly zLower: Float64Array;
  readonly zUpper: Float64Array;
  readonly yLower: Float64Array;
  readonly yUpper: Float64Array;
  readonly eLower: Float64Array;
  readonly eUpper: Float64Array;
  /** Largest magnitudes. */
  readonly zSize: Float64Array;
  readonly ySize: Float64Array;
  readonly eSize: Float64Array;

  constructor(size: number) {
    const make = () => new Float64Array(size);
    [this.zLower, this.zUpper, this.yLower] = [make(), make(), make()];
    [this.yUpper, this.eLower, this.eUpper] = [make(), make(), make()];
    [this.zSize, this.ySize, this.eSize] = [make(), make(), make()];
  }

  /** Takes the magnitudes from the bounds. */
  measure(): void {
    for (let at = 0; at < this.zSize.length; at++) {
      this.zSize[at] = Math.max(-this.zLower[at]!, this.zUpper[at]!, 0);
      this.ySize[at] = Math.max(-this.yLower[at]!, this.yUpper[at]!, 0);
      this.eSize[at] = Math.max(-this.eLower[at]!, this.eUpper[at]!, 0);
    }
  }

  /** Narrows z, y and e = z − y by one another. */
  close(): void {
    const { zLower, zUpper, yLower, yUpper, eLower, eUpper } = this;
    for (let at = 0; at < zLower.length; at++) {
      eUpper[at] = Math.min(eUpper[at]!, up(zUpper[at]! - yLower[at]!));
      eLower[at] = Math.max(eLower[at]!, down(zLower[at]! - yUpper[at]!));
      zUpper[at] = Math.min(zUpper[at]!, up(yUpper[at]! + eUpper[at]!));
      zLower[at] = Math.max(zLower[at]!, down(yLower[at]! + eLower[at]!));
      yUpper[at] = Math.min(yUpper[at]!, up(zUpper[at]! - eLower[at]!));
      yLower[at] = Math.max(yLower[at]!, down(zLower[at]! - eUpper[at]!));
    }
  }
}

/** What functionals are charged at an affine step, for a coefficient of 1 at each element. */
export class Charges {
  readonly z: Float64Array;
  readonly y: Float64Array;
  readonly e: Float64Array;

  constructor(size: number) {
    const make = () => new Float64Array(size);
    [this.z, this.y, this.e] = [make(), make(), make()];
  }
}

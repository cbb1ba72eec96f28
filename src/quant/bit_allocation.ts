/**
 * Widths per channel for a given mean.
 *
 * @module
 */

/** The widths that channels may get. */
export interface WidthLimits {
  readonly least: number;
  readonly most: number;
}

/**
 * Gives each channel the width that its range asks for, so that the mean square error over all channels is least for
 * a given number of grid points in all: `B_i ∝ α_i^{2/3}`, `Σ B_i = n · 2^M`, `M_i = round(log₂ B_i)` (Banner et al.,
 * "Post training 4-bit quantization of convolutional networks for rapid-deployment", 2019, section 4).
 *
 * @param ranges α: half the width of each channel's range, at least one of them positive.
 * @param bits M: the width if all channels had the same.
 * @returns One width a channel, within the limits; a channel without range gets the least.
 */
export function allocateBits(
  ranges: ArrayLike<number>,
  bits: number,
  { least, most }: WidthLimits = { least: 1, most: 8 },
): number[] {
  const shares = Array.from(ranges, (range) => range ** (2 / 3));
  const total = shares.reduce((sum, share) => sum + share, 0);
  if (!(total > 0 && Number.isFinite(total))) {
    throw new RangeError("Ranges must be finite, and one of them positive");
  }
  const points = shares.length * 2 ** bits / total;
  return shares.map((share) =>
    share === 0 ? least : Math.min(Math.max(Math.round(Math.log2(share * points)), least), most)
  );
}

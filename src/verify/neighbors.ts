/**
 * The floating-point numbers next to a number.
 *
 * @module
 */

const FLOAT64 = new Float64Array(1);
const BITS64 = new BigInt64Array(FLOAT64.buffer);

/** The least float64 above a number. */
export function nextUp(value: number): number {
  if (!Number.isFinite(value)) return value === -Infinity ? -Number.MAX_VALUE : value;
  if (value === 0) return Number.MIN_VALUE;
  FLOAT64[0] = value;
  BITS64[0]! += value > 0 ? 1n : -1n;
  return FLOAT64[0];
}

/** The largest float64 below a number. */
export function nextDown(value: number): number {
  return -nextUp(-value);
}

const FLOAT32 = new Float32Array(1);
const BITS32 = new Int32Array(FLOAT32.buffer);

/** The least float32 that is not below a number; infinite beyond the range of float32. */
export function ceilFloat32(value: number): number {
  FLOAT32[0] = value;
  const nearest = FLOAT32[0]!;
  if (nearest >= value || Number.isNaN(value)) return nearest;
  // Only finite numbers and −∞ round downward.
  if (nearest === 0) return 2 ** -149;
  BITS32[0]! += nearest > 0 ? 1 : -1;
  return FLOAT32[0]!;
}

/** The largest float32 that is not above a number. */
export function floorFloat32(value: number): number {
  return -ceilFloat32(-value);
}

const FLOAT16 = new Float16Array(1);
const BITS16 = new Int16Array(FLOAT16.buffer);

/** The least float16 that is not below a number; infinite beyond the range of float16. */
export function ceilFloat16(value: number): number {
  FLOAT16[0] = value;
  const nearest = FLOAT16[0]!;
  if (nearest >= value || Number.isNaN(value)) return nearest;
  if (nearest === 0) return 2 ** -24;
  BITS16[0]! += nearest > 0 ? 1 : -1;
  return FLOAT16[0]!;
}

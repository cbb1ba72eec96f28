/**
 * Versions of the ONNX standard.
 *
 * @module
 */

/** The newest IR version that ONNX Runtime 1.30 opens. */
export const MAX_IR_VERSION = 13;

/** The newest standard operator set that ONNX Runtime 1.30 opens. */
export const MAX_OPSET = 26;

/** The first operator set of each IR version, oldest first. */
const FIRST_OPSET: readonly (readonly [ir: number, opset: number])[] = [
  [3, 1],
  [4, 9],
  [5, 10],
  [6, 11],
  [7, 12],
  [8, 15],
  [9, 19],
  [10, 21],
  [11, 23],
  [12, 24],
  [13, 25],
];

/** The least IR version that a standard operator set needs. */
export function irVersionFor(opset: number): number {
  let ir = 3;
  for (const [version, first] of FIRST_OPSET) if (opset >= first) ir = version;
  return ir;
}

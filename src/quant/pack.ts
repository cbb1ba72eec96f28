/**
 * Packing integers that are narrower than a byte, low bits first.
 *
 * For 2 and 4 bits this is how ONNX stores int2, uint2, int4 and uint4 tensors. For other widths it is a dense
 * stream of bits, as a file format made for that width would use: the basis of exact sizes.
 *
 * @module
 */

/** Bytes that `count` values take when packed. */
export function packedBytes(count: number, bits: number): number {
  return Math.ceil(count * bits / 8);
}

/**
 * Packs integers into a dense little-endian stream of bits.
 *
 * @param values Signed or unsigned; negative ones in two's complement.
 * @param bits 1 … 16.
 * @throws {RangeError} If a value does not fit the width.
 */
export function pack(values: ArrayLike<number>, bits: number): Uint8Array<ArrayBuffer> {
  checkBits(bits);
  const bytes = new Uint8Array(packedBytes(values.length, bits));
  const limit = 2 ** bits;
  const mask = limit - 1;
  let pending = 0;
  let held = 0;
  let at = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (!(value >= -limit / 2 && value < limit)) {
      throw new RangeError(`Value ${value} does not fit into ${bits} bits`);
    }
    pending |= (value & mask) << held;
    held += bits;
    while (held >= 8) {
      bytes[at++] = pending;
      pending >>>= 8;
      held -= 8;
    }
  }
  if (held > 0) bytes[at] = pending;
  return bytes;
}

/**
 * The integers that {@linkcode pack} packed.
 *
 * @throws {RangeError} If there are fewer bytes than `count` values take.
 */
export function unpack(
  bytes: Uint8Array,
  bits: number,
  signed: boolean,
  count: number,
): Int32Array {
  checkBits(bits);
  if (bytes.length < packedBytes(count, bits)) {
    throw new RangeError(
      `${count} values of ${bits} bits take ${packedBytes(count, bits)} bytes: ` +
        `current value has ${bytes.length}`,
    );
  }
  const values = new Int32Array(count);
  const mask = 2 ** bits - 1;
  const shift = signed ? 32 - bits : 0;
  let pending = 0;
  let held = 0;
  let at = 0;
  for (let index = 0; index < count; index++) {
    while (held < bits) {
      pending |= bytes[at++]! << held;
      held += 8;
    }
    values[index] = (pending & mask) << shift >> shift;
    pending >>>= bits;
    held -= bits;
  }
  return values;
}

function checkBits(bits: number): void {
  if (!Number.isInteger(bits) || bits < 1 || bits > 16) {
    throw new RangeError(`bits must be an integer from 1 to 16: current value is ${bits}`);
  }
}

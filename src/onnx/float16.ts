/**
 * Half-precision and bfloat16 numbers, which tensors hold as their 16 bits.
 *
 * @module
 */

/** The values of IEEE half-precision numbers given by their bits. */
export function fromFloat16(bits: Uint16Array): Float32Array {
  return Float32Array.from(new Float16Array(bits.buffer, bits.byteOffset, bits.length));
}

/** The bits of the nearest half-precision numbers, ties to even; what is beyond 65504 becomes infinite. */
export function toFloat16(values: ArrayLike<number>): Uint16Array {
  return new Uint16Array(Float16Array.from(values).buffer);
}

/** The values of bfloat16 numbers given by their bits: the upper half of a float32. */
export function fromBfloat16(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length);
  for (let index = 0; index < bits.length; index++) words[index] = bits[index]! << 16;
  return new Float32Array(words.buffer);
}

/** The bits of the nearest bfloat16 numbers to float32 values, ties to even; NaN stays NaN. */
export function toBfloat16(values: ArrayLike<number>): Uint16Array {
  const floats = Float32Array.from(values);
  const words = new Uint32Array(floats.buffer);
  const bits = new Uint16Array(floats.length);
  for (let index = 0; index < bits.length; index++) {
    const word = words[index]!;
    bits[index] = (word & 0x7fffffff) > 0x7f800000
      ? (word >>> 16) | 0x40
      : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return bits;
}

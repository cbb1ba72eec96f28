/**
 * The wire format of Protocol Buffers: https://protobuf.dev/programming-guides/encoding
 *
 * @module
 */

/** A field of a message. Lengths of `bytes` are as the wire says; `number` holds varints and the bits of fixed fields. */
export interface Field {
  readonly number: number;
  /** A varint as a signed 64-bit integer where it is safe, else rounded. */
  readonly integer: number;
  readonly bytes: Uint8Array;
}

const NONE = new Uint8Array();

/**
 * The fields of a message, in order.
 *
 * @throws {RangeError} If the message ends inside of a field, or uses a wire type that is not known.
 */
export function* fieldsOf(message: Uint8Array): Generator<Field> {
  const reader = new Reader(message);
  while (reader.at < message.length) {
    const tag = reader.varint();
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        yield { number, integer: reader.varint(), bytes: NONE };
        break;
      case 1:
        yield { number, integer: 0, bytes: reader.take(8) };
        break;
      case 2:
        yield { number, integer: 0, bytes: reader.take(reader.varint()) };
        break;
      case 5:
        yield { number, integer: 0, bytes: reader.take(4) };
        break;
      default:
        throw new RangeError(`Wire type ${tag % 8} is not known`);
    }
  }
}

/** The varints of a packed field. */
export function packedIntegers(bytes: Uint8Array): number[] {
  const reader = new Reader(bytes);
  const values: number[] = [];
  while (reader.at < bytes.length) values.push(reader.varint());
  return values;
}

class Reader {
  at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  varint(): number {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.at++];
      if (byte === undefined) throw new RangeError("The message ends inside of a number");
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, value));
    }
    throw new RangeError("A number is longer than 64 bits");
  }

  take(length: number): Uint8Array {
    if (!(length >= 0 && this.at + length <= this.#bytes.length)) {
      throw new RangeError("The message ends inside of a field");
    }
    const part = this.#bytes.subarray(this.at, this.at + length);
    this.at += length;
    return part;
  }
}

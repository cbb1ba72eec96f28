/**
 * Raw numbers become a tensor's values: (x · scale − mean) / std, in the tensor's type.
 *
 * The arithmetic is in double precision and rounded once. Bytes go through a table.
 *
 * @module
 */

import type { DatasetType } from "../dataset.ts";
import { zeros } from "../formats/numbers.ts";
import { capital, fileError } from "../problems.ts";
import type { PreprocessRecipe } from "../recipe_types.ts";
import type { Picture, RawArray } from "../source.ts";
import {
  type FloatArray,
  isFloat,
  lookUp,
  requireFinite,
  roundHalfEven,
  type Run,
  store,
} from "./runs.ts";

/** The limits of the integer types; a value beyond them is an error, never clipped. */
const LIMITS: Readonly<Partial<Record<DatasetType, readonly [number, number]>>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int32: [-2147483648, 2147483647],
  int64: [-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

/** More channels than this get no tables. */
const MOST_TABLES = 64;

/** Writes the values of items of one kind. */
export class ValueWriter {
  readonly #type: DatasetType;
  readonly #scale: readonly [number, number];
  readonly #mean: readonly number[];
  readonly #std: readonly number[];
  /** How many channels (or features) have their own mean or standard deviation. */
  readonly #period: number;
  /** By channel, the result for each byte; `undefined` where some byte has none. */
  readonly #tables: readonly (RawArray | undefined)[];
  readonly #unchanged: boolean;

  constructor(type: DatasetType, recipe: Pick<PreprocessRecipe, "scale" | "mean" | "std">) {
    const { scale, mean, std } = recipe;
    this.#type = type;
    this.#scale = scale;
    this.#mean = mean;
    this.#std = std;
    this.#period = Math.max(mean.length, std.length);
    this.#unchanged = scale[0] === scale[1] && mean.every((value) => value === 0) &&
      std.every((value) => value === 1);
    this.#tables = Array.from(
      { length: this.#period > MOST_TABLES ? 0 : this.#period },
      (_, channel) => this.#table(channel),
    );
  }

  /** An array for `length` values. */
  allocate(length: number): RawArray {
    return zeros(this.#type, length);
  }

  /**
   * Writes a picture at `at`.
   *
   * @param planar Whether each channel's pixels come together.
   * @throws {UserError} If a value is not finite, or does not fit the type.
   */
  picture(picture: Picture, planar: boolean, into: RawArray, at: number, name: () => string): void {
    const { data, width, channels } = picture;
    const step = planar ? 1 : channels;
    const pixels = picture.height * width;
    // Rows without gaps are one long row.
    const whole = picture.row === width * picture.pixel;
    const rows = whole ? 1 : picture.height;
    const length = whole ? pixels : width;
    for (let channel = 0; channel < channels; channel++) {
      const start = at + channel * (planar ? pixels : 1);
      const from = picture.offset + channel * picture.plane;
      for (let row = 0; row < rows; row++) {
        this.#write(
          { data, at: from + row * picture.row, step: picture.pixel },
          { data: into, at: start + row * length * step, step },
          length,
          channel,
          name,
        );
      }
    }
  }

  /**
   * Writes `count` numbers at `at`; several means or standard deviations are for the places along the last axis.
   *
   * @throws {UserError} If a value is not finite, or does not fit the type.
   */
  numbers(from: Run, into: RawArray, at: number, count: number, name: () => string): void {
    const { data } = from;
    if (this.#unchanged && data.constructor === into.constructor && this.#type !== "bool") {
      into.set(data.subarray(from.at, from.at + count) as never, at);
      if (isFloat(into)) requireFinite({ data: into, at, step: 1 }, count, name);
      return;
    }
    const period = this.#period;
    for (let phase = 0; phase < period; phase++) {
      this.#write(
        { data, at: from.at + phase, step: period },
        { data: into, at: at + phase, step: period },
        Math.ceil((count - phase) / period),
        phase,
        name,
      );
    }
  }

  #write(from: Run, into: Run, count: number, channel: number, name: () => string): void {
    const table = this.#tables.length === 0
      ? undefined
      : this.#tables[channel % this.#tables.length];
    if (table !== undefined && from.data instanceof Uint8Array) {
      lookUp(table, from as Run<Uint8Array>, into, count);
    } else if (isFloat(into.data)) {
      this.#toFloats(from, into as Run<FloatArray>, count, channel);
      requireFinite(into as Run<FloatArray>, count, name);
    } else this.#toIntegers(from, into, count, channel, name);
  }

  #toFloats(from: Run, into: Run<FloatArray>, count: number, channel: number): void {
    const [numerator, denominator] = this.#scale;
    const mean = this.#meanOf(channel);
    const std = this.#stdOf(channel);
    const source = from.data;
    const target = into.data;
    let read = from.at;
    let write = into.at;
    for (let index = 0; index < count; index++, read += from.step, write += into.step) {
      target[write] = (Number(source[read]) * numerator / denominator - mean) / std;
    }
  }

  #toIntegers(from: Run, into: Run, count: number, channel: number, name: () => string): void {
    for (let index = 0; index < count; index++) {
      const exact = this.#value(Number(from.data[from.at + index * from.step]), channel);
      const value = this.#fit(exact);
      if (value === undefined) {
        throw fileError(
          `${
            capital(name())
          } holds a value that becomes ${exact}, which does not fit ${this.#type}`,
          "Choose another preprocess.dtype, or adapt preprocess.scale and preprocess.mean",
        );
      }
      store(into.data, into.at + index * into.step, value);
    }
  }

  #meanOf(channel: number): number {
    return this.#mean[this.#mean.length === 1 ? 0 : channel]!;
  }

  #stdOf(channel: number): number {
    return this.#std[this.#std.length === 1 ? 0 : channel]!;
  }

  #value(x: number, channel: number): number {
    const [numerator, denominator] = this.#scale;
    return (x * numerator / denominator - this.#meanOf(channel)) / this.#stdOf(channel);
  }

  /** A value in the type, or `undefined` if it has none there. */
  #fit(value: number): number | undefined {
    if (this.#type === "bool") return Number.isNaN(value) ? undefined : value === 0 ? 0 : 1;
    const limits = LIMITS[this.#type];
    if (limits === undefined) return value;
    const rounded = roundHalfEven(value);
    return rounded >= limits[0] && rounded <= limits[1] ? rounded : undefined;
  }

  #table(channel: number): RawArray | undefined {
    const table = zeros(this.#type, 256);
    for (let byte = 0; byte < 256; byte++) {
      const value = this.#fit(this.#value(byte, channel));
      if (value === undefined) return undefined;
      store(table, byte, value);
      if (isFloat(table) && !Number.isFinite(table[byte])) return undefined;
    }
    return table;
  }
}

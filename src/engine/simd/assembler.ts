/**
 * An assembler for small WebAssembly modules of functions over 128-bit vectors of two float64 numbers.
 *
 * Code is a list of bytes that leaves at most one value behind; functions here put such lists together. The numbers are
 * those of the WebAssembly specification, section 5.4 (instructions) and 5.5 (modules).
 *
 * @module
 */

/** Bytes of instructions. */
export type Code = readonly number[];

/** The type of a local variable. */
export type LocalType = "i32" | "v128";

const TYPES: Readonly<Record<LocalType, number>> = { i32: 0x7f, v128: 0x7b };

/** A function that is being written; its parameters are integers. */
export class FunctionBuilder {
  readonly name: string;
  readonly parameters: number;
  readonly #locals: LocalType[] = [];
  readonly #body: number[] = [];

  constructor(name: string, parameters: number) {
    this.name = name;
    this.parameters = parameters;
  }

  /** A new local variable. */
  local(type: LocalType): number {
    this.#locals.push(type);
    return this.parameters + this.#locals.length - 1;
  }

  /** Adds instructions that leave nothing behind. */
  add(...code: Code[]): this {
    for (const part of code) this.#body.push(...part);
    return this;
  }

  /** The body as a module holds it. */
  encode(): number[] {
    const locals = this.#locals.flatMap((type) => [1, TYPES[type]]);
    const body = [...unsigned(this.#locals.length), ...locals, ...this.#body, 0x0b];
    return [...unsigned(body.length), ...body];
  }
}

/** The bytes of a module that exports functions, and imports its memory as `env.memory`. */
export function assemble(functions: readonly FunctionBuilder[]): Uint8Array<ArrayBuffer> {
  const section = (id: number, items: readonly (readonly number[])[]) => {
    const body = [...unsigned(items.length), ...items.flat()];
    return [id, ...unsigned(body.length), ...body];
  };
  const types = functions.map(({ parameters }) => [
    0x60,
    ...unsigned(parameters),
    ...new Array<number>(parameters).fill(TYPES.i32),
    0,
  ]);
  const memory = [...text("env"), ...text("memory"), 0x02, 0x00, ...unsigned(1)];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, types),
    ...section(2, [memory]),
    ...section(3, functions.map((_, at) => unsigned(at))),
    ...section(7, functions.map(({ name }, at) => [...text(name), 0x00, ...unsigned(at)])),
    ...section(10, functions.map((each) => each.encode())),
  ]);
}

/** A number that is known when the code is written. */
export const i32 = (value: number): Code => [0x41, ...signed(value)];
export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number, value: Code): Code => [...value, 0x21, ...unsigned(local)];
export const addInt = (a: Code, b: Code): Code => [...a, ...b, 0x6a];
/** A local variable that grows by a number. */
export const advance = (local: number, by: number): Code => set(local, addInt(get(local), i32(by)));
export const loadInt = (address: Code): Code => [...address, 0x28, 2, 0];

/** Repeats code as long as a counter, which it makes smaller by `step`, is above 0; at least once. */
export const countDown = (counter: number, step: number, ...body: Code[]): Code => [
  ...[0x03, 0x40],
  ...body.flat(),
  ...advance(counter, -step),
  ...get(counter),
  ...i32(0),
  ...[0x4a, 0x0d, 0, 0x0b],
];

/** Runs code if a number is not 0. */
export const when = (condition: Code, ...body: Code[]): Code => [
  ...condition,
  ...[0x04, 0x40],
  ...body.flat(),
  0x0b,
];

const vector = (operation: number): Code => [0xfd, ...unsigned(operation)];
const unary = (operation: number) => (x: Code): Code => [...x, ...vector(operation)];
const binary = (operation: number) => (x: Code, y: Code): Code => [
  ...x,
  ...y,
  ...vector(operation),
];

/** Two numbers that stand side by side. */
export const load = (address: Code, offset = 0): Code => [
  ...address,
  ...vector(0x00),
  ...[3, ...unsigned(offset)],
];
/** One number, twice. */
export const loadSplat = (address: Code, offset = 0): Code => [
  ...address,
  ...vector(0x0a),
  ...[3, ...unsigned(offset)],
];
export const store = (address: Code, value: Code, offset = 0): Code => [
  ...address,
  ...value,
  ...vector(0x0b),
  ...[3, ...unsigned(offset)],
];
/** Two zeros. */
export const zeros: Code = [...vector(0x0c), ...new Array<number>(16).fill(0)];
export const abs = unary(0xec);
export const neg = unary(0xed);
export const add = binary(0xf0);
export const sub = binary(0xf1);
export const mul = binary(0xf2);
export const max = binary(0xf5);
/** All bits where x > y. */
export const greater = binary(0x4a);
export const and = binary(0x4e);
/** x where y has no bits. */
export const andNot = binary(0x4f);
/** x where the mask has bits, else y. */
export const select = (mask: Code, x: Code, y: Code): Code => [
  ...x,
  ...y,
  ...mask,
  ...vector(0x52),
];

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  do {
    const rest = Math.floor(value / 128);
    bytes.push(value % 128 + (rest > 0 ? 128 : 0));
    value = rest;
  } while (value > 0);
  return bytes;
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  for (;;) {
    const low = value & 0x7f;
    value >>= 7;
    const isLast = value === 0 && (low & 0x40) === 0 || value === -1 && (low & 0x40) !== 0;
    bytes.push(isLast ? low : low | 0x80);
    if (isLast) return bytes;
  }
}

function text(value: string): number[] {
  const bytes = new TextEncoder().encode(value);
  return [...unsigned(bytes.length), ...bytes];
}

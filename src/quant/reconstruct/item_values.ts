/**
 * A value of the network for all items: in memory while there is room, else in a file.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import type { TrainingData } from "../../engine/training/options.ts";
import { type DataType, elementCount, type Tensor, type TensorData } from "../../onnx/tensor.ts";

/** One value for all items; row `i` belongs to item `i`. */
export interface ItemValues {
  readonly type: DataType;
  /** Shape for all items, items first. */
  readonly dims: readonly number[];
  /** The rows `start … start + count − 1`; not to be written to. */
  read(start: number, count: number): Tensor;
  /** Some rows, in the order asked for. */
  gather(items: ArrayLike<number | bigint>): Tensor;
  /** The whole for a training run: a tensor if it is in memory. */
  asData(): TrainingData;
  /** Rows from `start` on that may be written to; `undefined` where values have to be given to `write`. */
  room(start: number, count: number): Tensor | undefined;
  /** Sets rows from `start` on. */
  write(start: number, rows: Tensor): void;
  /** Gives its room back. */
  release(): void;
}

type Numbers = Exclude<TensorData[DataType], string[]>;
type NumbersClass = new (buffer: ArrayBuffer) => Numbers;

/** Room for values, in memory up to a limit and in files of one temporary folder beyond. */
export class ItemStorage implements Disposable {
  readonly #limit: number;
  #used = 0;
  /** Memory that was given back: fresh memory has to be cleared, page by page, before it is written to. */
  #spare: Uint8Array<ArrayBuffer>[] = [];
  #folder: string | undefined;
  #files = 0;
  readonly #open = new Set<FileValues>();

  /** @param limit Bytes that values may take in memory. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many values had to go to files. */
  get files(): number {
    return this.#files;
  }

  /**
   * Room for a value.
   *
   * @param sample A batch of it, for type and shape.
   */
  allocate(sample: Tensor, items: number): ItemValues {
    const width = elementCount(sample.dims.slice(1));
    const values = sample.data as Numbers;
    const bytes = items * width * values.BYTES_PER_ELEMENT;
    const shape: RowShape = {
      type: sample.type,
      dims: [items, ...sample.dims.slice(1)],
      rowBytes: width * values.BYTES_PER_ELEMENT,
      Numbers: values.constructor as NumbersClass,
    };
    const at = this.#spare.findIndex(({ length }) => length === bytes);
    const [spare] = at < 0 ? [] : this.#spare.splice(at, 1);
    if (this.#used + bytes > this.#limit) {
      this.#folder ??= orExplain(() => Deno.makeTempDirSync({ prefix: "bitbound-items-" }));
      const values = new FileValues(
        shape,
        `${this.#folder}/${this.#files++}`,
        () => this.#open.delete(values),
      );
      this.#open.add(values);
      return values;
    }
    this.#used += bytes;
    this.#dropSpare();
    return new MemoryValues(shape, spare ?? new Uint8Array(bytes), (memory) => {
      this.#used -= bytes;
      this.#spare.push(memory);
    });
  }

  /** What is spare counts too: the oldest goes first. */
  #dropSpare(): void {
    const total = () => this.#spare.reduce((sum, { length }) => sum + length, this.#used);
    while (this.#spare.length > 0 && total() > this.#limit) this.#spare.shift();
  }

  [Symbol.dispose](): void {
    this.#spare = [];
    for (const values of this.#open) values.release();
    if (this.#folder !== undefined) Deno.removeSync(this.#folder, { recursive: true });
    this.#folder = undefined;
  }
}

interface RowShape {
  readonly type: DataType;
  readonly dims: readonly number[];
  readonly rowBytes: number;
  readonly Numbers: NumbersClass;
}

abstract class Rows implements ItemValues {
  readonly type: DataType;
  readonly dims: readonly number[];
  protected readonly rowBytes: number;
  readonly #Numbers: NumbersClass;

  constructor({ type, dims, rowBytes, Numbers }: RowShape) {
    this.type = type;
    this.dims = dims;
    this.rowBytes = rowBytes;
    this.#Numbers = Numbers;
  }

  abstract read(start: number, count: number): Tensor;
  abstract release(): void;
  abstract asData(): TrainingData;
  abstract room(start: number, count: number): Tensor | undefined;
  abstract write(start: number, rows: Tensor): void;
  protected abstract copyRow(item: number, into: Uint8Array): void;

  gather(items: ArrayLike<number | bigint>): Tensor {
    const bytes = new Uint8Array(items.length * this.rowBytes);
    for (let index = 0; index < items.length; index++) {
      const start = index * this.rowBytes;
      this.copyRow(Number(items[index]), bytes.subarray(start, start + this.rowBytes));
    }
    return this.tensor(bytes, items.length);
  }

  protected tensor({ buffer }: Uint8Array<ArrayBuffer>, items: number): Tensor {
    return {
      type: this.type,
      dims: [items, ...this.dims.slice(1)],
      data: new this.#Numbers(buffer) as TensorData[DataType],
    };
  }
}

class MemoryValues extends Rows {
  #bytes: Uint8Array<ArrayBuffer>;
  readonly #onRelease: (memory: Uint8Array<ArrayBuffer>) => void;

  /** @param memory As long as all rows. */
  constructor(
    shape: RowShape,
    memory: Uint8Array<ArrayBuffer>,
    onRelease: (memory: Uint8Array<ArrayBuffer>) => void,
  ) {
    super(shape);
    this.#bytes = memory;
    this.#onRelease = onRelease;
  }

  read(start: number, count: number): Tensor {
    const whole = this.tensor(this.#bytes, this.dims[0]!);
    if (count === this.dims[0]) return whole;
    const width = elementCount(this.dims.slice(1));
    const data = (whole.data as Float32Array).subarray(start * width, (start + count) * width);
    return { ...whole, dims: [count, ...this.dims.slice(1)], data };
  }

  asData(): TrainingData {
    return this.read(0, this.dims[0]!);
  }

  room(start: number, count: number): Tensor {
    return this.read(start, count);
  }

  write(start: number, rows: Tensor): void {
    this.#bytes.set(bytesOf(rows), start * this.rowBytes);
  }

  release(): void {
    if (this.#bytes.length > 0) this.#onRelease(this.#bytes);
    this.#bytes = new Uint8Array();
  }

  protected copyRow(item: number, into: Uint8Array): void {
    into.set(this.#bytes.subarray(item * this.rowBytes, (item + 1) * this.rowBytes));
  }
}

class FileValues extends Rows {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  readonly #onRelease: () => void;

  constructor(shape: RowShape, path: string, onRelease: () => void) {
    super(shape);
    this.#path = path;
    this.#onRelease = onRelease;
    const options = { read: true, write: true, createNew: true };
    this.#file = orExplain(() => Deno.openSync(path, options), path);
  }

  read(start: number, count: number): Tensor {
    const bytes = new Uint8Array(count * this.rowBytes);
    this.#fill(start, bytes);
    return this.tensor(bytes, count);
  }

  asData(): TrainingData {
    return this;
  }

  room(): undefined {
    return undefined;
  }

  write(start: number, rows: Tensor): void {
    const bytes = bytesOf(rows);
    orExplain(() => {
      this.#file.seekSync(start * this.rowBytes, Deno.SeekMode.Start);
      for (let done = 0; done < bytes.length;) done += this.#file.writeSync(bytes.subarray(done));
    }, this.#path);
  }

  release(): void {
    this.#file.close();
    Deno.removeSync(this.#path);
    this.#onRelease();
  }

  protected copyRow(item: number, into: Uint8Array): void {
    this.#fill(item, into);
  }

  #fill(start: number, into: Uint8Array): void {
    this.#file.seekSync(start * this.rowBytes, Deno.SeekMode.Start);
    for (let done = 0; done < into.length;) {
      const read = this.#file.readSync(into.subarray(done));
      if (read === null) throw new RangeError(`File "${this.#path}" is shorter than its values`);
      done += read;
    }
  }
}

/** Does something with the disk; where that fails, says what helps. */
function orExplain<T>(act: () => T, path?: string): T {
  try {
    return act();
  } catch (error) {
    throw new UserError({
      message: `Values between layers cannot be written to ${
        path === undefined ? "the folder for temporary files" : `"${path}"`
      }: ${(error as Error).message}`,
      hint:
        "Make room on that disk, name another with TMPDIR, use fewer items (take), or give the run more memory",
    }, { cause: error });
  }
}

function bytesOf({ data }: Tensor): Uint8Array {
  const { buffer, byteOffset, byteLength } = data as Uint8Array;
  return new Uint8Array(buffer, byteOffset, byteLength);
}

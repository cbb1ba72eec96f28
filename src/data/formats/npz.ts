/**
 * Data sets of NumPy archives.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { capital, fieldError, fileError } from "../problems.ts";
import { readRange } from "../random_access.ts";
import type { SourceRecipeOf } from "../recipe_types.ts";
import { type ArraySet, arrayShape, arraySource, type NamedBlock } from "./arrays.ts";
import { type Block, once } from "./block.ts";
import type { Format } from "./format.ts";
import { inflate, inflateStart } from "./gzip.ts";
import { checkSize, NPY_START_BYTES, npyBlock, parseNpyHeader } from "./npy_file.ts";
import { entryOffset, readZipDirectory, type ZipEntry } from "./zip_file.ts";

/** Packed arrays are unpacked into memory; beyond this they should not be packed. */
const MOST_UNPACKED = 4 * 2 ** 30;

/** NumPy arrays in one archive. */
export const npzFormat: Format<"npz"> = {
  async describe(spec, context) {
    const path = await context.locate(spec.npz, ["npz"]);
    const names = readZipDirectory(path).map((entry) => arrayName(entry));
    const find = (name: string, at: readonly string[]): string => {
      if (names.includes(name)) return name;
      throw fieldError(
        at,
        `"${path}" has no array "${name}": it has ${
          names.map((known) => `"${known}"`).join(", ") || "none"
        }`,
      );
    };
    const labels = spec.labels === undefined ? null : find(spec.labels, ["labels"]);
    const target = spec.target === undefined ? null : find(spec.target, ["target"]);
    const arrays = inputArrays(spec, names.filter((name) => name !== labels && name !== target));
    for (const { input, array } of arrays) {
      find(
        array,
        input === null || typeof spec.arrays === "string" ? ["arrays"] : ["arrays", input],
      );
    }
    if (arrays.length === 0) throw fieldError(["npz"], `"${path}" has no array for the model`);
    const source: SourceRecipeOf<"npz"> = {
      format: "npz",
      file: await context.digest(path),
      arrays,
      labels,
      target,
      image: spec.image ?? null,
    };
    const set = openSet(source, path);
    return { source, shape: arrayShape(set), count: set.arrays[0]!.block.count };
  },

  open(recipe, resolve) {
    return arraySource(openSet(recipe, resolve(recipe.file)));
  },
};

function inputArrays(
  spec: Parameters<typeof npzFormat.describe>[0],
  rest: readonly string[],
): { input: string | null; array: string }[] {
  const { arrays, input } = spec;
  if (arrays !== undefined && typeof arrays !== "string") {
    if (input !== undefined) {
      throw fieldError(
        ["input"],
        "input is given, but arrays names the model inputs itself",
        "Leave out input",
      );
    }
    return Object.entries(arrays).map(([name, array]) => ({ input: name, array }));
  }
  if (typeof arrays === "string") return [{ input: input ?? null, array: arrays }];
  if (rest.length === 1) return [{ input: input ?? null, array: rest[0]! }];
  if (input !== undefined) {
    throw fieldError(
      ["input"],
      `input is given, but there are several arrays: ${rest.map((name) => `"${name}"`).join(", ")}`,
      "Name one of them with arrays",
    );
  }
  return rest.map((name) => ({ input: name, array: name }));
}

function arrayName(entry: ZipEntry): string {
  return entry.name.replace(/\.npy$/, "");
}

function openSet(recipe: SourceRecipeOf<"npz">, path: string): ArraySet {
  const entries = new Map(readZipDirectory(path).map((entry) => [arrayName(entry), entry]));
  const open = (array: string, input: string | null): NamedBlock => {
    const entry = entries.get(array);
    if (entry === undefined) throw fileError(`"${path}" has no array "${array}"`);
    const name = `array "${array}" of "${path}"`;
    return { input, block: openEntry(path, entry, name), name };
  };
  return {
    origin: path,
    arrays: recipe.arrays.map(({ input, array }) => open(array, input)),
    labels: recipe.labels === null ? undefined : open(recipe.labels, null),
    target: recipe.target === null ? undefined : open(recipe.target, null),
    image: recipe.image,
  };
}

/** Stored entries are read in pieces; deflated ones are unpacked whole when first needed. */
function openEntry(path: string, entry: ZipEntry, name: string): Block {
  const offset = entryOffset(path, entry);
  const start = readRange(path, offset, Math.min(entry.packed, NPY_START_BYTES));
  const packed = entry.method === "deflated";
  const header = parseNpyHeader(packed ? inflateStart(path, start) : start, name);
  checkSize(header, entry.size, name);
  if (!packed) return npyBlock(header, name, { path, offset: offset + header.offset });
  if (entry.size > MOST_UNPACKED) {
    throw fileError(
      `${capital(name)} unpacks to ${entry.size} bytes, expected at most ${MOST_UNPACKED}`,
      "Write it with numpy.savez instead of savez_compressed: then it is read in pieces",
    );
  }
  const load = once(() => {
    const bytes = inflate(path, readRange(path, offset, entry.packed), entry.size);
    if (crc32(bytes) !== entry.crc) {
      throw fileError(`${capital(name)} is damaged: its checksum is wrong`, "Get the file again");
    }
    return bytes.subarray(header.offset);
  });
  return npyBlock(header, name, { load });
}

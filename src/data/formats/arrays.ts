/**
 * What npy and npz data sets have in common: several arrays with the same number of items.
 *
 * @module
 */

import { elementCount } from "../../onnx/tensor.ts";
import { capital, counted, fieldError, fileError, shown } from "../problems.ts";
import type { ImageAxes } from "../recipe_types.ts";
import type { RawItems, Source, SourceArray, SourceShape } from "../source.ts";
import { type Block, readAll, readBlock } from "./block.ts";
import { asLabels } from "./numbers.ts";
import { blockValues, pictureDims } from "./values.ts";

/** An array and what it is called in messages. */
export interface NamedBlock {
  readonly input: string | null;
  readonly block: Block;
  /** Such as `array "x_test" of "mnist.npz"`. */
  readonly name: string;
}

/** The arrays of one data set. */
export interface ArraySet {
  readonly origin: string;
  readonly arrays: readonly NamedBlock[];
  readonly labels: NamedBlock | undefined;
  readonly target: NamedBlock | undefined;
  readonly image: ImageAxes | null;
}

/**
 * Checks that arrays go together.
 *
 * @throws {UserError} If they have different numbers of items, labels are not one-dimensional, or pictures do not have
 *   the dimensions that `image` says.
 */
export function arrayShape(set: ArraySet): SourceShape {
  const first = set.arrays[0]!;
  const others = [...set.arrays.slice(1), set.labels, set.target];
  for (const other of others) {
    if (other === undefined || other.block.count === first.block.count) continue;
    throw fileError(
      `${capital(other.name)} has ${counted(other.block.count, "item")}, but ${first.name} has ` +
        `${counted(first.block.count, "item")}`,
      "Name the arrays that belong together",
    );
  }
  if (set.labels !== undefined && elementCount(set.labels.block.dims) !== 1) {
    throw fieldError(
      ["labels"],
      `${capital(set.labels.name)} has items of shape ${
        shown(set.labels.block.dims)
      }, expected one label an item`,
      "If these are scores or one-hot vectors, use target instead of labels",
    );
  }
  return {
    origin: set.origin,
    arrays: set.arrays.map((array) => sourceArray(array, set.image)),
    ...(set.target === undefined ? {} : { target: sourceArray(set.target, null) }),
  };
}

/** Opens checked arrays. */
export function arraySource(set: ArraySet): Source {
  const shape = arrayShape(set);
  const labels = set.labels === undefined ? undefined : readLabels(set.labels);
  const { target } = set;
  return {
    ...shape,
    length: set.arrays[0]!.block.count,
    ...(labels === undefined ? {} : { labels }),
    nameOf: (item) => `item ${item} of "${set.origin}"`,
    read(items): RawItems {
      const axes = set.image ?? undefined;
      const arrays = set.arrays.map(({ block }) =>
        blockValues(block, readBlock(block, items), axes)
      );
      if (target === undefined) return { arrays };
      const targets = blockValues(target.block, readBlock(target.block, items), undefined);
      return { arrays, targets };
    },
  };
}

function readLabels(array: NamedBlock): Int32Array {
  const values = readAll(array.block);
  const labels = asLabels(values);
  if (labels instanceof Int32Array) return labels;
  throw fileError(
    `${capital(array.name)} is not an array of labels: item ${labels.wrong} is ${
      values[labels.wrong]
    }, expected a whole ` +
      "number from 0 up",
    "Use target instead of labels for what is not a class",
  );
}

function sourceArray(array: NamedBlock, image: ImageAxes | null): SourceArray {
  const { block, input } = array;
  const base = { input: input ?? undefined, type: block.type };
  if (image === null) return { ...base, picture: undefined, dims: block.dims };
  if (block.dims.length !== image.length) {
    throw fieldError(
      ["image"],
      `image is ${image}, but ${array.name} has items of shape ${shown(block.dims)}, expected ${
        counted(image.length, "dimension")
      }`,
    );
  }
  const { height, width, channels } = pictureDims(block.dims, image);
  return { ...base, picture: { channels }, dims: [height, width] };
}

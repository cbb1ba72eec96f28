/**
 * Data sets of CIFAR's binary version: records of one or two label bytes and a planar 32×32 picture.
 *
 * @module
 */

import { fieldError, fileError } from "../problems.ts";
import { fileSize, readRanges } from "../random_access.ts";
import type { SourceRecipeOf } from "../recipe_types.ts";
import type { RawValue, Source, SourceShape } from "../source.ts";
import { CIFAR100_COARSE, CIFAR100_FINE, CIFAR10_CLASSES } from "./cifar_classes.ts";
import type { Format } from "./format.ts";
import { pictureAt } from "./values.ts";

type Recipe = SourceRecipeOf<"cifar">;
type Variant = Recipe["variant"];

const PICTURE_BYTES = 3 * 32 * 32;
const LABEL_BYTES: Readonly<Record<Variant, number>> = { cifar10: 1, cifar100: 2 };

/** CIFAR-10 and CIFAR-100, binary version. */
export const cifarFormat: Format<"cifar"> = {
  async describe(spec, context) {
    const texts = typeof spec.cifar === "string" ? [spec.cifar] : spec.cifar;
    const paths: string[] = [];
    for (const [index, text] of texts.entries()) {
      paths.push(
        await context.locate(text, typeof spec.cifar === "string" ? ["cifar"] : ["cifar", index]),
      );
    }
    const variant = variantOf(paths, spec.variant);
    if (spec.labels === "coarse" && variant === "cifar10") {
      throw fieldError(
        ["labels"],
        `labels is ${spec.labels}, but CIFAR-10 has only one kind`,
        "Leave out labels",
      );
    }
    const files: string[] = [];
    for (const path of paths) files.push(await context.digest(path));
    const source: Recipe = {
      format: "cifar",
      input: spec.input ?? null,
      files,
      variant,
      labels: spec.labels ?? "fine",
    };
    const count = paths.reduce((sum, path) => sum + countOf(path, variant), 0);
    return { source, shape: shapeOf(source, paths[0]!), count };
  },

  open(recipe, resolve): Source {
    const record = LABEL_BYTES[recipe.variant] + PICTURE_BYTES;
    const files: { path: string; start: number; count: number }[] = [];
    let length = 0;
    for (const digest of recipe.files) {
      const path = resolve(digest);
      const count = countOf(path, recipe.variant);
      files.push({ path, start: length, count });
      length += count;
    }
    const shape = shapeOf(recipe, files[0]!.path);
    const fileOf = (item: number) => files.findLast(({ start }) => start <= item)!;
    const nameOf = (item: number) => {
      const { path, start } = fileOf(item);
      return `item ${item - start} of "${path}"`;
    };
    return {
      ...shape,
      length,
      labels: readLabels(files, record, recipe, shape.classes!.length),
      nameOf,
      read(items) {
        const values: RawValue[] = [];
        for (let first = 0; first < items.length;) {
          const file = fileOf(items[first]!);
          let end = first;
          const ranges = [];
          while (end < items.length && fileOf(items[end]!) === file) {
            const offset = (items[end++]! - file.start + 1) * record - PICTURE_BYTES;
            ranges.push({ offset, length: PICTURE_BYTES });
          }
          const bytes = new Uint8Array((end - first) * PICTURE_BYTES);
          readRanges(file.path, ranges, bytes);
          for (let at = 0; at < bytes.length; at += PICTURE_BYTES) {
            values.push({ picture: pictureAt(bytes, at, [3, 32, 32], "chw") });
          }
          first = end;
        }
        return { arrays: [values] };
      },
    };
  },
};

function shapeOf(recipe: Recipe, origin: string): SourceShape {
  const array = {
    input: recipe.input ?? undefined,
    type: "uint8" as const,
    picture: { channels: 3 },
    dims: [32, 32],
  };
  const classes = recipe.variant === "cifar10"
    ? CIFAR10_CLASSES
    : recipe.labels === "fine"
    ? CIFAR100_FINE
    : CIFAR100_COARSE;
  return { origin, arrays: [array], classes };
}

function variantOf(paths: readonly string[], told: Variant | undefined): Variant {
  const sizes = paths.map((path) => fileSize(path));
  const fits = (variant: Variant) =>
    sizes.every((size) => size > 0 && size % (LABEL_BYTES[variant] + PICTURE_BYTES) === 0);
  if (told !== undefined) {
    for (const path of paths) countOf(path, told);
    return told;
  }
  const possible = (["cifar10", "cifar100"] as const).filter(fits);
  if (possible.length === 1) return possible[0]!;
  if (possible.length === 2) {
    throw fieldError(
      ["variant"],
      "The size of the files fits CIFAR-10 and CIFAR-100",
      "Say which with variant",
    );
  }
  const wrong = paths.find((_, index) =>
    sizes[index] === 0 || (sizes[index]! % 3073 !== 0 && sizes[index]! % 3074 !== 0)
  );
  if (wrong === undefined) {
    throw fieldError(
      ["cifar"],
      "Some of the files are of CIFAR-10 and some of CIFAR-100, expected one of them",
    );
  }
  throw fieldError(
    ["cifar"],
    `File "${wrong}" has ${
      fileSize(wrong)
    } bytes, expected a multiple of 3073 (CIFAR-10) or 3074 (CIFAR-100)`,
    "Use the binary version of the data set; the Python and MATLAB versions are other formats",
  );
}

function countOf(path: string, variant: Variant): number {
  const record = LABEL_BYTES[variant] + PICTURE_BYTES;
  const size = fileSize(path);
  if (size > 0 && size % record === 0) return size / record;
  throw fileError(
    `File "${path}" has ${size} bytes, expected a multiple of ${record} for ${variant}`,
    "It is truncated or not of the binary version: get the file again",
  );
}

function readLabels(
  files: readonly { readonly path: string; readonly count: number }[],
  record: number,
  recipe: Recipe,
  classes: number,
): Int32Array {
  // A CIFAR-100 record starts with the group, then the class.
  const place = recipe.variant === "cifar100" && recipe.labels === "fine" ? 1 : 0;
  const labels: number[] = [];
  for (const { path, count } of files) {
    const bytes = new Uint8Array(count);
    const ranges = Array.from(bytes, (_, index) => ({ offset: index * record + place, length: 1 }));
    readRanges(path, ranges, bytes);
    for (const [index, label] of bytes.entries()) {
      if (label >= classes) {
        throw fileError(
          `Label of item ${index} in "${path}" is ${label}, expected a number below ${classes}`,
          "The file is damaged or of another variant",
        );
      }
      labels.push(label);
    }
  }
  return Int32Array.from(labels);
}

/**
 * Data sets of idx files.
 *
 * @module
 */

import { basename, dirname, join } from "../../base/path.ts";
import { counted, fieldError, fileError, shown } from "../problems.ts";
import { similarHint } from "../similar.ts";
import type { Source, SourceArray, SourceShape } from "../source.ts";
import { type Block, itemBytes, readAll, readBlock } from "./block.ts";
import type { Format } from "./format.ts";
import { openIdx } from "./idx_file.ts";
import { asLabels, bytesPerNumber } from "./numbers.ts";
import { blockValues } from "./values.ts";

/** idx files, with the names that MNIST's files have. */
export const idxFormat: Format<"idx"> = {
  async describe(spec, context) {
    const start = await context.locate(spec.idx, ["idx"]);
    const images = findImages(start);
    const labels = typeof spec.labels === "string"
      ? await context.locate(spec.labels, ["labels"])
      : spec.labels === false
      ? undefined
      : findLabels(images, start);
    const block = openIdx(images);
    if (labels !== undefined) openLabels(labels, block.count, images);
    return {
      source: {
        format: "idx",
        input: spec.input ?? null,
        images: await context.digest(images),
        labels: labels === undefined ? null : await context.digest(labels),
      },
      shape: shapeOf(block, images, spec.input),
      count: block.count,
    };
  },

  open(recipe, resolve): Source {
    const path = resolve(recipe.images);
    const block = openIdx(path);
    const labelPath = recipe.labels === null ? undefined : resolve(recipe.labels);
    return {
      ...shapeOf(block, path, recipe.input ?? undefined),
      length: block.count,
      ...(labelPath === undefined
        ? {}
        : { labels: readLabels(labelPath, openLabels(labelPath, block.count, path)) }),
      nameOf: (item) => `item ${item} of "${path}"`,
      read: (items) => ({
        arrays: [blockValues(block, readBlock(block, items), imageAxes(block))],
      }),
    };
  },
};

/** An image file: the one that is named, or the only one whose name starts so. */
function findImages(start: string): string {
  const found = candidates(start, "images");
  if (isFile(start)) return start;
  if (found.length === 1) return found[0]!;
  if (found.length > 1) {
    throw fieldError(
      ["idx"],
      `"${start}" is the start of several image files: ${
        found.map((file) => `"${basename(file)}"`).join(", ")
      }`,
      "Name one of them",
    );
  }
  throw fieldError(
    ["idx"],
    `File "${start}" does not exist, nor does "${start}-images-idx3-ubyte" (or .gz)`,
    similarHint(start, "file") ??
      "idx takes a file, or the common start of the names of an image and a label file",
  );
}

/** The label file that goes with an image file, if there is one. */
function findLabels(images: string, start: string): string | undefined {
  const common = images === start
    ? /^(.*?)[-._]images[-._]idx\d-[a-z]+(?:\.gz)?$/.exec(images)?.[1]
    : start;
  if (common === undefined) return undefined;
  const found = candidates(common, "labels");
  // Of a packed and an unpacked copy, the unpacked one is faster.
  return found.find((file) => !file.endsWith(".gz")) ?? found[0];
}

function candidates(start: string, what: "images" | "labels"): string[] {
  const folder = dirname(start);
  const form = new RegExp(`^[-._]${what}[-._]idx\\d-[a-z]+(\\.gz)?$`);
  let names: string[];
  try {
    names = [...Deno.readDirSync(folder)].map((entry) => entry.name);
  } catch {
    return [];
  }
  const prefix = basename(start);
  const found = names.filter((name) =>
    name.startsWith(prefix) && form.test(name.slice(prefix.length))
  );
  return found
    .filter((name) => !(name.endsWith(".gz") && found.includes(name.slice(0, -3))))
    .sort().map((name) => join(folder, name));
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function openLabels(path: string, images: number, imagesPath: string): Block {
  const block = openIdx(path);
  if (itemBytes(block) !== bytesPerNumber(block.type)) {
    throw fileError(
      `File "${path}" holds items of shape ${shown(block.dims)}, expected one label an item`,
      "Name the label file with labels, or write labels: false",
    );
  }
  if (block.count !== images) {
    throw fileError(
      `File "${path}" has ${counted(block.count, "label")}, but "${imagesPath}" has ${
        counted(images, "item")
      }`,
      "Name the label file that goes with it with labels, or write labels: false",
    );
  }
  return block;
}

function readLabels(path: string, block: Block): Int32Array {
  const labels = asLabels(readAll(block));
  if (labels instanceof Int32Array) return labels;
  throw fileError(
    `Label of item ${labels.wrong} in "${path}" is not a whole number from 0 up`,
  );
}

/** Bytes in two or three dimensions are pictures. */
function imageAxes(block: Block): "hw" | undefined {
  return block.dims.length === 2 ? "hw" : undefined;
}

function shapeOf(block: Block, origin: string, input: string | undefined): SourceShape {
  const axes = imageAxes(block);
  const array: SourceArray = {
    input,
    type: block.type,
    picture: axes === undefined ? undefined : { channels: 1 },
    dims: block.dims,
  };
  return { origin, arrays: [array] };
}

/**
 * Data sets of NumPy array files.
 *
 * @module
 */

import { fieldError } from "../problems.ts";
import { type ArraySet, arrayShape, arraySource, type NamedBlock } from "./arrays.ts";
import type { Format } from "./format.ts";
import { openNpy } from "./npy_file.ts";

/** NumPy arrays, a file each. */
export const npyFormat: Format<"npy"> = {
  async describe(spec, context) {
    const named: [input: string | null, text: string, path: (string | number)[]][] =
      typeof spec.npy === "string"
        ? [[spec.input ?? null, spec.npy, ["npy"]]]
        : Object.entries(spec.npy).map(([input, text]) => [input, text, ["npy", input]]);
    if (typeof spec.npy !== "string" && spec.input !== undefined) {
      throw fieldError(
        ["input"],
        "input is given, but npy names the model inputs itself",
        "Leave out input",
      );
    }
    const paths: string[] = [];
    for (const [, text, at] of named) paths.push(await context.locate(text, at));
    const labels = spec.labels === undefined
      ? undefined
      : await context.locate(spec.labels, ["labels"]);
    const target = spec.target === undefined
      ? undefined
      : await context.locate(spec.target, ["target"]);
    const set = openSet(
      paths.map((path, index) => ({ input: named[index]![0], path })),
      labels,
      target,
      spec.image ?? null,
    );
    const shape = arrayShape(set);
    const arrays = [];
    for (const [index, path] of paths.entries()) {
      arrays.push({ input: named[index]![0], file: await context.digest(path) });
    }
    return {
      source: {
        format: "npy",
        arrays,
        labels: labels === undefined ? null : await context.digest(labels),
        target: target === undefined ? null : await context.digest(target),
        image: spec.image ?? null,
      },
      shape,
      count: set.arrays[0]!.block.count,
    };
  },

  open(recipe, resolve) {
    return arraySource(openSet(
      recipe.arrays.map(({ input, file }) => ({ input, path: resolve(file) })),
      recipe.labels === null ? undefined : resolve(recipe.labels),
      recipe.target === null ? undefined : resolve(recipe.target),
      recipe.image,
    ));
  },
};

function openSet(
  arrays: readonly { readonly input: string | null; readonly path: string }[],
  labels: string | undefined,
  target: string | undefined,
  image: ArraySet["image"],
): ArraySet {
  const open = (path: string, input: string | null): NamedBlock => ({
    input,
    block: openNpy(path),
    name: `file "${path}"`,
  });
  return {
    origin: arrays[0]!.path,
    arrays: arrays.map(({ input, path }) => open(path, input)),
    labels: labels === undefined ? undefined : open(labels, null),
    target: target === undefined ? undefined : open(target, null),
    image,
  };
}

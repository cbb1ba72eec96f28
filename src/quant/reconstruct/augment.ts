/**
 * Showing images in other ways that leave what they are of, so that few of them are not learned by heart.
 *
 * @module
 */

import type { Random } from "../../base/random.ts";
import { UserError } from "../../base/errors.ts";
import type { Model } from "../../onnx/model.ts";
import type { ItemStorage, ItemValues } from "./item_values.ts";

/**
 * - `mirror`: left to right; with `shift` half of the copies, by itself every other one.
 * - `shift`: by up to an eighth of height and width; the edge is repeated.
 */
export type Augmentation = "mirror" | "shift";

/** Channels that an image can have: grey, colours, colours with transparency. */
const CHANNELS = [1, 3, 4];
/** Share of an image by which it is shifted at most. */
const SHIFT = 1 / 8;
/** Items that are written at a time. */
const WRITE_BATCH = 64;

/**
 * Refuses to augment what is no image.
 *
 * @param origin What messages call the model.
 * @throws {UserError} If the model does not take one image of the form `[N, C, H, W]`.
 */
export function requireImages({ graph }: Model, origin: string): void {
  const inputs = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
  const { dims, type } = inputs[0]!;
  const isImage = inputs.length === 1 && type === "float32" && dims?.length === 4 &&
    CHANNELS.includes(dims[1] as number);
  if (isImage) return;
  const shapes = inputs.map(({ name, dims }) =>
    `"${name}" [${dims?.map((dim) => dim ?? "?").join(", ") ?? "?"}]`
  );
  throw new UserError({
    message: "augment needs a model that takes one image [N, C, H, W] of 1, 3 or 4 channels: " +
      `"${origin}" takes ${shapes.join(" and ")}`,
    hint: "Leave augment out",
  });
}

/**
 * Images as they are, and after them copies of all of them, each changed at random.
 *
 * @param images `[N, C, H, W]`
 * @param copies How often each is there; mirroring alone has two versions.
 * @returns `[copies · N, C, H, W]`
 */
export function augmentImages(
  images: ItemValues,
  kinds: readonly Augmentation[],
  copies: number,
  random: Random,
  storage: ItemStorage,
): ItemValues {
  const [items, channels, height, width] = images.dims as [number, number, number, number];
  const all = storage.allocate(images.read(0, 1), copies * items);
  const size = channels * height * width;
  const reach = (length: number) => kinds.includes("shift") ? Math.floor(SHIFT * length) : 0;
  const offset = (length: number) => random.integer(2 * reach(length) + 1) - reach(length);
  for (let copy = 0; copy < copies; copy++) {
    for (let start = 0; start < items; start += WRITE_BATCH) {
      const rows = images.read(start, Math.min(WRITE_BATCH, items - start));
      if (copy > 0) {
        const from = rows.data as Float32Array;
        const data = new Float32Array(from.length);
        for (let first = 0; first < data.length; first += size) {
          // Without shifts, a copy that is not mirrored would be the same image again.
          const mirrors = kinds.includes("mirror") &&
            (kinds.includes("shift") ? random.integer(2) === 1 : copy % 2 === 1);
          const lines = sources(height, offset(height), false);
          const columns = sources(width, offset(width), mirrors);
          for (let channel = 0; channel < channels; channel++) {
            const at = first + channel * height * width;
            move(from, data, at, lines, columns);
          }
        }
        all.write(copy * items + start, { ...rows, data });
      } else {
        all.write(start, rows);
      }
    }
  }
  return all;
}

/** The inputs of a model that takes one image, augmented. */
export function augmentInputs(
  inputs: ReadonlyMap<string, ItemValues>,
  { kinds, copies }: { readonly kinds: readonly Augmentation[]; readonly copies: number },
  random: Random,
  storage: ItemStorage,
): Map<string, ItemValues> {
  return new Map(
    inputs.entries().map(([name, images]) => [
      name,
      augmentImages(images, kinds, copies, random, storage),
    ]),
  );
}

/** Where each line or column comes from. */
function sources(length: number, offset: number, mirrors: boolean): Int32Array {
  return Int32Array.from({ length }, (_, index) => {
    const at = Math.min(Math.max(index + offset, 0), length - 1);
    return mirrors ? length - 1 - at : at;
  });
}

function move(
  from: Float32Array,
  to: Float32Array,
  start: number,
  lines: Int32Array,
  columns: Int32Array,
): void {
  const width = columns.length;
  for (let y = 0; y < lines.length; y++) {
    const line = start + lines[y]! * width;
    const target = start + y * width;
    for (let x = 0; x < width; x++) to[target + x] = from[line + columns[x]!]!;
  }
}

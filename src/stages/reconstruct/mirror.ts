/**
 * Mirrored calibration images: twice as many to learn from.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import type { Model } from "../../onnx/model.ts";
import type { Tensor } from "../../onnx/tensor.ts";

/** Channels that an image can have: grey, colours, colours with transparency. */
const CHANNELS = [1, 3, 4];

/**
 * Refuses to mirror what is no image.
 *
 * @throws {UserError} If the model does not take one image of the form `[N, C, H, W]`.
 */
export function requireImages(model: Model, origin: string): void {
  const inputs = model.graph.inputs.filter(({ name }) => !model.graph.initializers.has(name));
  const dims = inputs[0]?.dims;
  const channels = dims?.[1];
  const isImage = inputs.length === 1 && dims?.length === 4 && typeof channels === "number" &&
    CHANNELS.includes(channels);
  if (isImage) return;
  const shapes = inputs.map(({ name, dims }) =>
    `"${name}" [${dims?.map((dim) => dim ?? "?").join(", ") ?? "?"}]`
  );
  throw new UserError({
    message: `mirror: true needs a model that takes an image [N, C, H, W] of 1, 3 or 4 channels: ` +
      `"${origin}" takes ${shapes.join(" and ")}`,
    hint: "Leave mirror out",
  });
}

/** Images `[N, C, H, W]`, left to right. */
export function mirrored(images: Tensor): Tensor {
  const width = images.dims[3]!;
  const from = images.data as Float32Array;
  const data = from.slice();
  for (let row = 0; row < data.length; row += width) data.subarray(row, row + width).reverse();
  return { ...images, data };
}

/**
 * All images of a set in one picture.
 *
 * @module
 */

import { encodePng } from "../../data/images/png.ts";
import type { Tensor } from "../../onnx/tensor.ts";

/** At most so many images are shown, and so many pixels a side. */
const MOST = 256;
const LARGEST = 4096;
/** What share of a channel's values may be beyond black and white. */
const BEYOND = 0.005;

/**
 * A sheet of images as PNG, one beside the other with a line between. Images of 3 channels are in colour, all others in
 * the gray of their first channel; items that are no images are rows of pixels.
 *
 * @param images `[items, channels, height, width]`, or any other shape.
 * @param range What is black and white; found for each channel unless given.
 */
export function contactSheet(
  { dims, data }: Tensor<"float32">,
  range: readonly [number, number] | undefined,
): Uint8Array {
  const isImage = dims.length === 4;
  const channels = isImage ? dims[1]! : 1;
  const [height, width] = isImage
    ? [dims[2]!, dims[3]!]
    : [1, dims.slice(1).reduce((a, b) => a * b, 1)];
  const most = Math.floor(LARGEST / (width + 1)) * Math.floor(LARGEST / (height + 1));
  const count = Math.min(dims[0]!, MOST, Math.max(1, most));
  const columns = Math.max(
    1,
    Math.min(Math.ceil(Math.sqrt(count)), Math.floor(LARGEST / (width + 1))),
  );
  const rows = Math.ceil(count / columns);
  const shown = channels === 3 ? 3 : 1;
  const size = height * width;
  const sheet = {
    width: columns * (width + 1) + 1,
    height: rows * (height + 1) + 1,
    channels: shown,
    data: new Uint8Array((columns * (width + 1) + 1) * (rows * (height + 1) + 1) * shown),
  };
  for (let channel = 0; channel < shown; channel++) {
    const [black, white] = range ?? extremes(data, channels * size, channel * size, size);
    for (let item = 0; item < count; item++) {
      const top = Math.floor(item / columns) * (height + 1) + 1;
      const left = item % columns * (width + 1) + 1;
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const value = data[(item * channels + channel) * size + y * width + x]!;
          const share = Math.min(Math.max((value - black) / (white - black), 0), 1);
          sheet.data[((top + y) * sheet.width + left + x) * shown + channel] = Math.round(
            255 * share,
          );
        }
      }
    }
  }
  return encodePng(sheet);
}

/** Between which values of a channel all but a few lie. */
function extremes(
  data: Float32Array,
  stride: number,
  start: number,
  size: number,
): [number, number] {
  const values: number[] = [];
  // A few thousand values say it well enough.
  const step = Math.max(1, Math.floor(data.length / stride * size / 65_536));
  for (let item = start; item < data.length; item += stride) {
    for (let at = 0; at < size; at += step) values.push(data[item + at]!);
  }
  values.sort((a, b) => a - b);
  const at = (share: number) => values[Math.round(share * (values.length - 1))]!;
  const [black, white] = [at(BEYOND), at(1 - BEYOND)];
  return [black, Math.max(white, black + 1e-6)];
}

import assert from "node:assert/strict";
import { convertChannels } from "../../src/data/preprocess/channels.ts";
import { Resampler } from "../../src/data/preprocess/resample.ts";
import type { Picture } from "../../src/data/source.ts";
import { digestOf } from "../../src/store/digest.ts";
import { PATTERN, RESIZED } from "./pillow_values.ts";

const { height, width } = PATTERN;

function pattern(): Picture {
  const data = new Uint8Array(height * width * 3);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) data[at++] = 37 * x + 91 * y + 53 * c + x * y * (c + 1);
    }
  }
  return { data, height, width, channels: 3, offset: 0, row: 3 * width, pixel: 3, plane: 1 };
}

/** The same pixels with each channel's together. */
function planar(picture: Picture): Picture {
  const plane = picture.height * picture.width;
  const data = new Uint8Array(plane * picture.channels);
  for (let at = 0; at < data.length; at++) {
    data[at] = Number(picture.data[(at % plane) * picture.pixel + Math.floor(at / plane)]);
  }
  return { ...picture, data, row: picture.width, pixel: 1, plane };
}

function pixels(picture: Picture): Uint8Array {
  const bytes: number[] = [];
  for (let y = 0; y < picture.height; y++) {
    for (let x = 0; x < picture.width; x++) {
      for (let c = 0; c < picture.channels; c++) {
        bytes.push(
          Number(
            picture.data[picture.offset + y * picture.row + x * picture.pixel + c * picture.plane],
          ),
        );
      }
    }
  }
  return Uint8Array.from(bytes);
}

Deno.test("every filter gives the bytes that Pillow gives", () => {
  for (const { filter, size, channels, first, sha256 } of RESIZED) {
    for (const source of [pattern(), planar(pattern())]) {
      const [toHeight, toWidth] = size;
      const picture = convertChannels(source, channels, () => "pattern");
      const resized = new Resampler(filter, true).resize(picture, {
        height: toHeight,
        width: toWidth,
      });
      const found = pixels(resized);
      const name = `${filter} ${size} ${channels}`;
      assert.deepEqual([...found.subarray(0, 6)], first, name);
      assert.equal(digestOf(found), sha256, name);
    }
  }
});

Deno.test("numbers that are not bytes are resized without rounding to bytes", () => {
  const bytes = pattern();
  const floats = {
    ...bytes,
    data: Float64Array.from(bytes.data as Uint8Array, (value) => value / 255),
  };
  for (const filter of ["box", "bilinear"] as const) {
    const size = { height: 5, width: 29 };
    const exact = new Resampler(filter, true).resize(floats, size).data;
    const rounded = new Resampler(filter, true).resize(bytes, size).data;
    for (let at = 0; at < exact.length; at++) {
      // Two passes round twice.
      assert.ok(Math.abs(255 * Number(exact[at]) - Number(rounded[at])) <= 1.001);
    }
  }
});

Deno.test("without antialiasing, bilinear takes the two nearest pixels in each direction", () => {
  const data = Uint8Array.of(0, 10, 20, 30, 40, 50, 60, 70);
  const row = { data, height: 1, width: 8, channels: 1, offset: 0, row: 8, pixel: 1, plane: 1 };
  const resized = new Resampler("bilinear", false).resize(row, { height: 1, width: 2 });
  // Centres at 1.5 and 5.5 of the source's pixels.
  assert.deepEqual([...resized.data as Uint8Array], [15, 55]);
});

import assert from "node:assert/strict";
import { Random } from "../../../src/base/random.ts";
import { float32 } from "../../../src/onnx/tensor.ts";
import { type Augmentation, augmentImages } from "../../../src/quant/reconstruct/augment.ts";
import { ItemStorage } from "../../../src/quant/reconstruct/item_values.ts";

const [ITEMS, CHANNELS, HEIGHT, WIDTH] = [70, 3, 8, 16] as const;

/** Every pixel says which it is: item, channel, line and column. */
const pixel = (item: number, channel: number, y: number, x: number) =>
  ((item * CHANNELS + channel) * HEIGHT + y) * WIDTH + x;

function augmented(kinds: readonly Augmentation[], copies: number, seed = 1): Float32Array {
  using storage = new ItemStorage(1e9);
  const dims = [ITEMS, CHANNELS, HEIGHT, WIDTH];
  const count = ITEMS * CHANNELS * HEIGHT * WIDTH;
  const images = storage.allocate(float32(dims, new Float32Array(count)), ITEMS);
  images.write(0, float32(dims, Float32Array.from({ length: count }, (_, index) => index)));
  const all = augmentImages(images, kinds, copies, Random.from(seed), storage);
  assert.deepEqual(all.dims, [copies * ITEMS, CHANNELS, HEIGHT, WIDTH]);
  return (all.read(0, copies * ITEMS).data as Float32Array).slice();
}

/** How a copy of an item was changed; undefined if it is none of the ways. */
function changeOf(all: Float32Array, copy: number, item: number) {
  const clamp = (value: number, length: number) => Math.min(Math.max(value, 0), length - 1);
  for (const mirrors of [false, true]) {
    for (let down = -1; down <= 1; down++) {
      for (let right = -2; right <= 2; right++) {
        let same = true;
        for (let channel = 0; channel < CHANNELS; channel++) {
          for (let y = 0; y < HEIGHT; y++) {
            for (let x = 0; x < WIDTH; x++) {
              const column = clamp(x + right, WIDTH);
              const expected = pixel(
                item,
                channel,
                clamp(y + down, HEIGHT),
                mirrors ? WIDTH - 1 - column : column,
              );
              same &&= all[pixel(copy * ITEMS + item, channel, y, x)] === expected;
            }
          }
        }
        if (same) return { mirrors, down, right };
      }
    }
  }
  return undefined;
}

for (const kinds of [["mirror"], ["shift"], ["mirror", "shift"]] as const) {
  Deno.test(`Copies are the images, changed as told: ${kinds.join(" and ")}`, () => {
    const all = augmented(kinds, 3);
    const seen = new Set<string>();
    for (let item = 0; item < ITEMS; item++) {
      assert.deepEqual(changeOf(all, 0, item), { mirrors: false, down: 0, right: 0 });
      for (const copy of [1, 2]) {
        const change = changeOf(all, copy, item);
        assert.ok(change !== undefined);
        seen.add(JSON.stringify(change));
      }
    }
    const ways = kinds.length === 2 ? 30 : kinds[0] === "mirror" ? 2 : 15;
    // 140 draws: every way of few, most of many.
    assert.ok(seen.size > 0.9 * ways && seen.size <= ways, `${seen.size} of ${ways}`);
  });
}

Deno.test("Mirrored alone, every second copy is", () => {
  const all = augmented(["mirror"], 2);
  for (let item = 0; item < ITEMS; item++) {
    assert.deepEqual(changeOf(all, 1, item), { mirrors: true, down: 0, right: 0 });
  }
});

Deno.test("The seed decides", () => {
  assert.deepEqual(augmented(["shift"], 2, 5), augmented(["shift"], 2, 5));
  assert.notDeepEqual(augmented(["shift"], 2, 5), augmented(["shift"], 2, 6));
});

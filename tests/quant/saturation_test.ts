import assert from "node:assert/strict";
import { productsCanSaturate } from "../../src/quant/saturation.ts";
import { quantizeMinMax, smallNetwork } from "./small_network.ts";

Deno.test("only wide weights beside wide activations can saturate", async () => {
  const float = smallNetwork();
  for (
    const [weightBits, activationBits, expected] of [
      [8, 8, true],
      [7, 8, false],
      [8, 7, false],
      [8, 6, false],
      [8, 4, false],
      [4, 8, false],
      [16, 8, false],
      [8, 16, false],
      [8, "none", false],
      [8, "dynamic", true],
    ] as const
  ) {
    const model = await quantizeMinMax(float, {
      weightBits,
      activationBits,
      granularity: "channel",
      encoding: "container",
    });
    assert.equal(productsCanSaturate(model), expected, `W${weightBits} A${activationBits}`);
  }
});

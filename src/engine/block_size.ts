/**
 * How ONNX Runtime lays out channels in blocks on this machine's processor.
 *
 * @module
 */

import { GraphBuilder } from "../onnx/build.ts";
import { float32 } from "../onnx/tensor.ts";
import { BLOCKS_DOMAIN } from "./autodiff/blocks.ts";
import { openSession } from "./session.ts";

/** Larger than any block. */
const CHANNELS = 64;

let answer: Promise<number> | undefined;

/**
 * Channels in a block: as many floats as a vector register holds, 1 where there is no such layout.
 * Found by laying out two pixels, since ONNX Runtime does not say it.
 */
export function blockSize(): Promise<number> {
  return answer ??= layOut();
}

async function layOut(): Promise<number> {
  const graph = new GraphBuilder("blocks");
  const images = graph.input("images", "float32", [1, CHANNELS, 1, 2]);
  graph.output(
    graph.op("ReorderInput", [images], {}, { domain: BLOCKS_DOMAIN, outputs: ["blocks"] }),
  );
  try {
    await using session = await openSession(graph.build());
    // The number of each element is that of its channel, with the second pixel behind all channels of the first.
    const numbers = Float32Array.from(
      { length: 2 * CHANNELS },
      (_, index) => (index >> 1) + (index & 1) * CHANNELS,
    );
    const { blocks } = await session.run({ images: float32([1, CHANNELS, 1, 2], numbers) });
    const block = (blocks!.data as Float32Array).indexOf(CHANNELS);
    return block > 0 ? block : 1;
  } catch {
    return 1;
  }
}

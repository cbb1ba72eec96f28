/**
 * The thread in which a target is fuzzed.
 *
 * @module
 */

import { fuzz } from "./fuzz.ts";
import { targets } from "./targets.ts";

/** This thread as the one that started it sees it. */
const thread = globalThis as unknown as {
  onmessage: (event: MessageEvent) => void;
  postMessage(message: unknown): void;
};

thread.onmessage = async ({ data: { target: name, progress, ...options } }) => {
  // Files in memory, where there is such a folder: they are written a hundred thousand times.
  const dir = await Deno.stat("/dev/shm").then(() => "/dev/shm", () => undefined);
  const folder = Deno.makeTempDirSync({ prefix: "bitbound-fuzz-", ...(dir && { dir }) });
  try {
    await using target = await targets[name]!(folder);
    thread.postMessage(
      await fuzz(target, options, (index) => {
        Atomics.store(progress, 0, index);
      }),
    );
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
};

/**
 * The thread in which the work of a command is done with fewer rights.
 *
 * @module
 */

import type { ConfinedWork } from "./confinement.ts";
import { main } from "./main.ts";
import { processStreams } from "./output/streams.ts";

/** This thread as the one that started it sees it. */
const thread = globalThis as unknown as {
  onmessage: (event: MessageEvent<ConfinedWork>) => void;
  postMessage(code: number): void;
};

// By itself it would end only this thread.
Object.defineProperty(Deno, "exit", {
  value(code = 0): never {
    thread.postMessage(code);
    for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
});

thread.onmessage = async ({ data: { args, debug } }) => {
  thread.postMessage(await main(args, processStreams(debug)));
};

/**
 * A thread that measures losses, one after another.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { decodeModel } from "../../onnx/read.ts";
import { openHeld } from "../../search/trial/items.ts";
import { findLayers } from "../../search/trial/layers.ts";
import type { Answer, Request } from "./pool.ts";
import { Trial } from "./trial.ts";

/** This thread as the one that started it sees it; the compiler takes it for a window. */
const thread = globalThis as unknown as {
  onmessage: (event: MessageEvent<Request>) => void;
  postMessage(answer: Answer): void;
};

let trial: Promise<Trial> | undefined;

thread.onmessage = async ({ data: { start, subject } }) => {
  try {
    if (start !== undefined) {
      const { model, exclude, items, learning, settings, memory } = start;
      trial = Trial.open(
        findLayers(decodeModel(model), exclude),
        openHeld(items),
        learning && openHeld(learning),
        settings,
        {
          threads: 1,
          memory,
          // An interrupted Worker is terminated.
          signal: new AbortController().signal,
          warn: (message) => thread.postMessage({ warning: message }),
        },
      );
      await trial;
      return;
    }
    thread.postMessage({ loss: await (await trial!).loss(subject!) });
  } catch (error) {
    thread.postMessage({
      problems: error instanceof UserError ? error.problems : undefined,
      message: error instanceof Error ? error.stack ?? error.message : String(error),
    });
  }
};

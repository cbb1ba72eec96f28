/**
 * Answers of remote stores.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { UserError } from "../../../src/base/errors.ts";
import type { Random } from "../../../src/base/random.ts";
import { digestOf } from "../../../src/store/digest.ts";
import { resultFile } from "../../../src/store/result_file.ts";
import { RemoteStore } from "../../../src/store/remote/remote.ts";
import { type Content, RemoteError, type Transport } from "../../../src/store/remote/transport.ts";
import { openStore, type StoredAction } from "../../../src/store/store.ts";
import { action, keyed } from "../../../tests/store/fixture.ts";
import type { Target } from "../fuzz.ts";
import { mutateBytes } from "../mutate.ts";
import { damageResult } from "./store.ts";

const BYTES = new TextEncoder().encode("what the stage made".repeat(20));

/** Says each thing in random pieces, sometimes damaged, sometimes not to its end. */
class Liar implements Transport {
  readonly #random: Random;
  readonly #action: StoredAction;

  constructor(random: Random, action: StoredAction) {
    this.#random = random;
    this.#action = action;
  }

  get(path: string): Promise<Content | undefined> {
    const random = this.#random;
    if (random.integer(20) === 0) return Promise.resolve(undefined);
    if (random.integer(20) === 0) return Promise.reject(new RemoteError("is away"));
    const isResult = path.startsWith("actions");
    const lies = random.integer(isResult ? 2 : 3) === 0;
    const content = isResult
      ? new TextEncoder().encode(
        lies ? damageResult(this.#action, random) : resultFile(this.#action),
      )
      : lies
      ? mutateBytes(BYTES, random)
      : BYTES;
    return Promise.resolve(this.#pieces(content));
  }

  async *#pieces(content: Uint8Array): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < content.length;) {
      if (this.#random.integer(40) === 0) throw new RemoteError("breaks off");
      const length = this.#random.integer(content.length - at + 1);
      yield content.subarray(at, at + length);
      at += length;
    }
  }

  has(): Promise<boolean> {
    return Promise.resolve(this.#random.integer(2) === 0);
  }

  put(): Promise<void> {
    return this.#random.integer(4) === 0
      ? Promise.reject(new RemoteError("is full"))
      : Promise.resolve();
  }
}

export async function remoteTarget(folder: string): Promise<Target> {
  let index = 0;
  const root = join(folder, "stores");
  await Deno.mkdir(root);
  return {
    async attempt(random: Random, keep) {
      const key = keyed(`fuzzed ${index++}`);
      const stored: StoredAction = {
        ...key,
        ...action({ digest: digestOf(BYTES), size: BYTES.length }),
      };
      const warnings: string[] = [];
      const remote = new RemoteStore({
        name: "liar",
        transport: new Liar(random, stored),
        mode: random.integer(2) === 0 ? "read" : "read-write",
        trust: [],
        onWarning: (message) => warnings.push(message),
      });
      keep({ index, warnings });
      // A store is filled for some time, so that blobs of before are there too.
      const place = join(root, String(Math.floor(index / 50)));
      await Deno.mkdir(place, { recursive: true });
      await using store = openStore(place, { remote });
      const { action: found } = await store.lookup(key.key);
      for (const { digest } of Object.values(found?.outputs ?? {})) await store.readBlob(digest);
      assert.deepEqual([...Deno.readDirSync(root)].filter(({ isDirectory }) => !isDirectory), []);
      if (index % 50 === 0) await Deno.remove(place, { recursive: true });
      if (found === undefined) throw new UserError(warnings.join("\n") || "There is none");
    },
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

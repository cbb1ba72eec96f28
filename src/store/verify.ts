/**
 * Checking every byte of a store.
 *
 * @module
 */

import { join } from "../base/path.ts";
import { Actions, names } from "./actions.ts";
import { Blobs } from "./blobs.ts";
import { isDigest, shortDigest } from "./digest.ts";
import { StoreFiles } from "./files.ts";
import { Layout } from "./layout.ts";
import { waitForLock } from "./locks.ts";

/** What was found. */
export interface VerifyReport {
  readonly blobs: number;
  readonly results: number;
  /** Bytes that were hashed. */
  readonly bytes: number;
  /** What is wrong, one sentence each; damaged files were set aside. */
  readonly damage: readonly string[];
}

/**
 * Hashes every blob and checks every result.
 *
 * @param onProgress Called after each blob with how many of how many are done.
 */
export async function verifyStore(
  root: string,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<VerifyReport> {
  const layout = new Layout(root);
  const files = new StoreFiles(layout);
  const damage: string[] = [];
  if (!files.checkVersion()) return { blobs: 0, results: 0, bytes: 0, damage };
  await using _lock = await waitForLock(layout.useLock, "shared");
  const blobs = new Blobs(files, (message) => damage.push(message));

  const digests: string[] = [];
  for (const prefix of await names(layout.blobs)) {
    for (const rest of await names(join(layout.blobs, prefix))) {
      if (isDigest(prefix + rest)) digests.push(prefix + rest);
      else damage.push(`"${layout.blob(prefix + rest)}" does not belong in the store`);
    }
  }
  let bytes = 0;
  for (const [index, digest] of digests.entries()) {
    bytes += (await Deno.stat(layout.blob(digest)).catch(() => undefined))?.size ?? 0;
    await blobs.check(digest, undefined, true);
    onProgress(index + 1, digests.length);
  }

  let results = 0;
  for await (const action of new Actions(files, (message) => damage.push(message)).all()) {
    results++;
    for (const [port, { digest }] of Object.entries(action.outputs)) {
      if ((await blobs.check(digest)) === "whole") continue;
      damage.push(
        `Result ${
          shortDigest(action.key)
        } of "${action.manifest.stage}" lacks its output "${port}" ` +
          `(${shortDigest(digest)}); its stage will run again`,
      );
    }
  }
  return { blobs: digests.length, results, bytes, damage };
}

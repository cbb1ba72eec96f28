/**
 * Bytes by their digest.
 *
 * Every blob's modification time is set to one constant. A blob that still has it, and the recorded size, was
 * not written to since; one that does not is hashed again before it is trusted.
 *
 * @module
 */

import { join } from "../base/path.ts";
import { UserError } from "../base/errors.ts";
import { nativeHash } from "../base/sha256.ts";
import { type Digest, digestFile, digestOf, shortDigest } from "./digest.ts";
import { type StoreFiles, writeAll } from "./files.ts";

/** The modification time of a blob that nobody touched: 2001-09-09T01:46:40Z. */
const UNTOUCHED = new Date(1_000_000_000_000);

/** What the store knows of some bytes. */
export interface BlobInfo {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

/** What became of a blob. */
export type BlobState = "whole" | "missing" | "damaged";

/** The blobs of a store. */
export class Blobs {
  readonly #files: StoreFiles;
  readonly #warn: (message: string) => void;

  /** @param warn Told of each damaged blob. */
  constructor(files: StoreFiles, warn: (message: string) => void) {
    this.#files = files;
    this.#warn = warn;
  }

  path(digest: Digest): string {
    return this.#files.layout.blob(digest);
  }

  async put(content: Uint8Array | ReadableStream<Uint8Array>): Promise<BlobInfo> {
    if (!(content instanceof Uint8Array)) return await this.#putStream(content);
    const digest = digestOf(content);
    if ((await this.check(digest)) !== "whole") {
      await this.#files.write(this.path(digest), content, UNTOUCHED);
    }
    return { digest, size: content.length };
  }

  async #putStream(content: ReadableStream<Uint8Array>): Promise<BlobInfo> {
    const hash = nativeHash();
    let size = 0;
    let digest = "";
    await this.#files.writeWith(async (file) => {
      for await (const chunk of content) {
        hash.update(chunk);
        size += chunk.length;
        await writeAll(file, chunk);
      }
      digest = hash.digest("hex");
      if ((await this.check(digest)) === "whole") return undefined;
      return { target: this.path(digest), modified: UNTOUCHED };
    });
    return { digest, size };
  }

  /**
   * Keeps a blob from elsewhere, if it is what is expected.
   *
   * @returns Whether it was; nothing is kept of another.
   */
  async receive(content: AsyncIterable<Uint8Array>, expected: BlobInfo): Promise<boolean> {
    const hash = nativeHash();
    let size = 0;
    let isExpected = false;
    await this.#files.writeWith(async (file) => {
      for await (const chunk of content) {
        size += chunk.length;
        if (size > expected.size) return undefined;
        hash.update(chunk);
        await writeAll(file, chunk);
      }
      isExpected = size === expected.size && hash.digest("hex") === expected.digest;
      return isExpected ? { target: this.path(expected.digest), modified: UNTOUCHED } : undefined;
    });
    return isExpected;
  }

  /**
   * Finds out whether a blob can be trusted; sets a damaged one aside.
   *
   * @param size The size that was recorded, in bytes.
   * @param thorough Hash it in any case.
   */
  async check(digest: Digest, size?: number, thorough = false): Promise<BlobState> {
    const path = this.path(digest);
    let found: Deno.FileInfo;
    try {
      found = Deno.statSync(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return "missing";
      throw error;
    }
    const untouched = found.mtime?.getTime() === UNTOUCHED.getTime() &&
      (size === undefined || size === found.size);
    if (untouched && !thorough) return "whole";
    const actual = (await digestFile(path)).digest;
    if (actual === digest) {
      // On a store that cannot be written to, it is simply hashed again next time.
      await Deno.utime(path, UNTOUCHED, UNTOUCHED).catch(() => {});
      return "whole";
    }
    await this.#setAside(digest, found.ino);
    return "damaged";
  }

  /**
   * The bytes of a blob.
   *
   * @throws {UserError} If it is missing or damaged.
   */
  async read(digest: Digest): Promise<Uint8Array> {
    let bytes: Uint8Array;
    try {
      bytes = await Deno.readFile(this.path(digest));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      throw new UserError({
        message: `Blob ${shortDigest(digest)} is not in the store "${this.#files.layout.root}"`,
        hint: "Run the pipeline again: the stage that made it will run",
      });
    }
    if (digestOf(bytes) === digest) return bytes;
    await this.#setAside(digest, undefined);
    throw new UserError({
      message: `Blob ${shortDigest(digest)} of the store "${this.#files.layout.root}" is damaged`,
      hint: "Run the pipeline again: the stage that made it will run",
    });
  }

  /** Moves a damaged blob out of the way, unless another process has just replaced it. */
  async #setAside(digest: Digest, ino: number | null | undefined): Promise<void> {
    const { damaged, root } = this.#files.layout;
    const path = this.path(digest);
    const kept = join(damaged, `${digest}-${crypto.randomUUID().slice(0, 8)}`);
    try {
      await Deno.mkdir(damaged, { recursive: true });
      if (ino !== undefined && (await Deno.stat(path)).ino !== ino) return;
      await Deno.rename(path, kept);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      this.#warn(`Blob ${shortDigest(digest)} is damaged, and "${root}" is not writable`);
      return;
    }
    this.#warn(`Blob ${shortDigest(digest)} was damaged; it is set aside as "${kept}"`);
  }
}

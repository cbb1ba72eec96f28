/**
 * A store somewhere else, from which results are taken and, where that was asked for, to which they are given.
 *
 * Nothing that comes from it is believed: results have to have the form and the key that they are asked for by, and, where
 * keys are trusted, one of their signatures; blobs have to have their digest. When it cannot be used, that is said once, and
 * work goes on without it.
 *
 * @module
 */

import { isSignatureOf, type PublicKey, type SigningKey } from "../../base/signature.ts";
import type { StoredAction } from "../actions.ts";
import type { BlobInfo } from "../blobs.ts";
import { type Digest, shortDigest } from "../digest.ts";
import type { Key } from "../key.ts";
import { Layout } from "../layout.ts";
import { readResultFile, resultFile, signedBytes } from "../result_file.ts";
import { type Content, RemoteError, type Transport } from "./transport.ts";

/** How a remote store is used. */
export interface RemoteOptions {
  /** What messages call it. */
  readonly name: string;
  readonly transport: Transport;
  readonly mode: "read" | "read-write";
  /** If there are any, only results that one of them signed are taken. */
  readonly trust: readonly PublicKey[];
  /** Signs the results that are given. */
  readonly key?: SigningKey;
  readonly onWarning: (message: string) => void;
}

/** What went to and fro. */
export interface Traffic {
  readonly results: number;
  /** Of blobs. */
  readonly bytes: number;
}

/** Where a local store keeps what it takes, and finds what it gives. */
export interface LocalSide {
  /** Keeps a blob if it is what is expected; says whether it was. */
  keep(content: Content, expected: BlobInfo): Promise<boolean>;
  read(digest: Digest): Promise<Uint8Array>;
}

/** A result's file is never as large as this. */
const RESULT_BYTES = 16 << 20;
/** How large most are at most. */
const USUAL_RESULT_BYTES = 1 << 16;
/** How much is under way at once. */
const PARALLEL = 4;

/** A remote store in use. */
export class RemoteStore {
  readonly #options: RemoteOptions;
  readonly #layout = new Layout("");
  readonly #slots = new Limit(PARALLEL);
  readonly #offered = new Map<Key, Promise<void>>();
  #reads = true;
  #writes: boolean;
  #taken: Traffic = { results: 0, bytes: 0 };
  #given: Traffic = { results: 0, bytes: 0 };

  constructor(options: RemoteOptions) {
    this.#options = options;
    this.#writes = options.mode === "read-write";
  }

  get name(): string {
    return this.#options.name;
  }

  /** What was taken from it so far. */
  get taken(): Traffic {
    return this.#taken;
  }

  /** What was given to it so far. */
  get given(): Traffic {
    return this.#given;
  }

  /** A result without its blobs; `undefined` if there is none that can be believed. */
  async result(key: Key): Promise<StoredAction | undefined> {
    if (!this.#reads) return undefined;
    return await this.#attempt(async () => {
      const path = this.#pathOfResult(key);
      const content = await this.#options.transport.get(path, USUAL_RESULT_BYTES);
      if (content === undefined) return undefined;
      const text = await textOf(content);
      const file = text === undefined ? undefined : readResultFile(text, key);
      if (file === undefined) {
        this.#warn(`has a damaged result ${shortDigest(key)}; it is passed over`);
        return undefined;
      }
      const { trust } = this.#options;
      if (trust.length === 0) return file.action;
      const { signature, checksum } = file;
      const isTrusted = signature !== undefined && trust.includes(signature.key) &&
        isSignatureOf(signature, signedBytes(checksum));
      if (isTrusted) return file.action;
      const why = signature === undefined
        ? "is not signed"
        : trust.includes(signature.key)
        ? "has a wrong signature"
        : `is signed by ${signature.key}, which is not trusted`;
      this.#warn(`has a result ${shortDigest(key)} that ${why}; it is passed over`);
      return undefined;
    }, "reads");
  }

  /** Brings the blobs of a result into a local store; says whether all of them came whole. */
  async fetchBlobs(
    { key }: StoredAction,
    blobs: readonly BlobInfo[],
    local: LocalSide,
  ): Promise<boolean> {
    const whole = await Promise.all(blobs.map((blob) => this.#fetch(blob, local)));
    if (whole.every((each) => each === true)) {
      const bytes = blobs.reduce((sum, { size }) => sum + size, this.#taken.bytes);
      this.#taken = { results: this.#taken.results + 1, bytes };
      return true;
    }
    const bad = blobs.find((_, index) => whole[index] === false);
    if (bad !== undefined) {
      const what = `${shortDigest(bad.digest)} of result ${shortDigest(key)}`;
      this.#warn(`has not the bytes of blob ${what}; the result is passed over`);
    }
    return false;
  }

  async #fetch(blob: BlobInfo, local: LocalSide): Promise<boolean | undefined> {
    return await this.#slots.run(async () => {
      if (!this.#reads) return undefined;
      return await this.#attempt(async () => {
        const path = this.#layout.blob(blob.digest);
        const content = await this.#options.transport.get(path, blob.size);
        return content === undefined ? false : await local.keep(content, blob);
      }, "reads");
    });
  }

  /** Gives a result that is in a local store, in the background, unless it is there already. */
  offer(action: StoredAction, local: LocalSide): void {
    if (!this.#writes || this.#offered.has(action.key)) return;
    const giving = this.#slots.run(() => this.#give(action, local));
    this.#offered.set(action.key, giving.catch(() => {}));
  }

  async #give(action: StoredAction, local: LocalSide): Promise<void> {
    if (!this.#writes) return;
    const { transport, key } = this.#options;
    await this.#attempt(async () => {
      if (await transport.has(this.#pathOfResult(action.key))) return;
      let bytes = 0;
      for (const { digest } of Object.values(action.outputs)) {
        const path = this.#layout.blob(digest);
        if (await transport.has(path)) continue;
        const content = await local.read(digest);
        await transport.put(path, content);
        bytes += content.length;
      }
      // Last, so that nobody finds a result without its blobs.
      const text = resultFile(action, key === undefined ? undefined : (each) => key.sign(each));
      await transport.put(this.#pathOfResult(action.key), new TextEncoder().encode(text));
      this.#given = { results: this.#given.results + 1, bytes: this.#given.bytes + bytes };
    }, "writes");
  }

  /** Gives nothing more than what is under way. */
  stop(): void {
    this.#writes = false;
  }

  /** Waits until everything that was offered is there. */
  async settle(): Promise<void> {
    await Promise.all(this.#offered.values());
  }

  #pathOfResult(key: Key): string {
    return this.#layout.action(key);
  }

  async #attempt<T>(action: () => Promise<T>, use: "reads" | "writes"): Promise<T | undefined> {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof RemoteError)) throw error;
      this.#giveUp(error, use);
      return undefined;
    }
  }

  #giveUp({ message, hint }: RemoteError, use: "reads" | "writes"): void {
    const known = use === "reads" ? !this.#reads : !this.#writes;
    this.#writes = false;
    if (use === "reads") this.#reads = false;
    if (known) return;
    const rest = use === "reads"
      ? "work goes on with the local store alone"
      : "nothing more is written to it";
    this.#warn(`${message}; ${rest}${hint === undefined ? "" : `. ${hint}`}`);
  }

  #warn(what: string): void {
    this.#options.onWarning(`Remote store "${this.name}" ${what}`);
  }
}

/** The text of a result's file; `undefined` if it is too large or no text. */
async function textOf(content: Content): Promise<string | undefined> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of content) {
    size += part.length;
    if (size > RESULT_BYTES) return undefined;
    parts.push(part);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(whole);
  } catch {
    return undefined;
  }
}

/** Lets only so many things happen at once. */
class Limit {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(free: number) {
    this.#free = free;
  }

  async run<T>(action: () => Promise<T>): Promise<T> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#free--;
    try {
      return await action();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}

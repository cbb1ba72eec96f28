/**
 * Digests of files outside the store, remembered so that an unchanged file is not read again.
 *
 * A file counts as unchanged while its size, modification time, change time and inode are the same. As in Git's
 * index, a file that was modified just before it was hashed is not remembered: a second change within the
 * clock's granularity could go unseen.
 *
 * @module
 */

import { resolve } from "../base/path.ts";
import { type Digest, digestFile } from "./digest.ts";
import type { BlobInfo } from "./blobs.ts";
import { explainWrite } from "./explain.ts";
import type { StoreFiles } from "./files.ts";
import { UserError } from "../base/errors.ts";

/** The coarsest modification times in use (FAT) are 2 seconds apart. */
const GRANULARITY_MILLISECONDS = 2000;

/** `[size, modified, changed, inode, digest]`. */
type Entry = readonly [number, number, number, number, Digest];

interface DigestsFile {
  readonly version: 1;
  readonly files: Readonly<Record<string, Entry>>;
}

/** The digests that a store remembers. */
export class FileDigests {
  readonly #files: StoreFiles;
  readonly #now: () => number;
  #entries: Map<string, Entry> | undefined;
  readonly #changed = new Set<string>();

  /** @param now Milliseconds since 1970; given by tests only. */
  constructor(files: StoreFiles, now: () => number = Date.now) {
    this.#files = files;
    this.#now = now;
  }

  /**
   * The digest and size of a file.
   *
   * @throws {Deno.errors.NotFound} If there is none.
   * @throws {UserError} If it is a folder, or changes while it is read, or the store cannot be read.
   */
  async get(file: string): Promise<BlobInfo> {
    const path = resolve(file);
    this.#entries ??= this.#load();
    const before = stampOf(path);
    const known = this.#entries.get(path);
    if (known !== undefined && before.every((part, index) => part === known[index])) {
      return { digest: known[4], size: known[0] };
    }
    const started = this.#now();
    const { digest, size } = await digestFile(path);
    const after = stampOf(path);
    if (size !== before[0] || before.some((part, index) => part !== after[index])) {
      throw new UserError({
        message: `File "${path}" changed while it was read`,
        hint: "Run again when nothing writes to it",
      });
    }
    this.#changed.add(path);
    const settled = Math.max(before[1], before[2]) < started - GRANULARITY_MILLISECONDS;
    if (settled) this.#entries.set(path, [...before, digest]);
    else this.#entries.delete(path);
    return { digest, size };
  }

  /** Saves what changed; what another process saved meanwhile is kept. */
  async save(): Promise<void> {
    if (this.#entries === undefined || this.#changed.size === 0) return;
    const merged = this.#load();
    for (const path of this.#changed) {
      const entry = this.#entries.get(path);
      if (entry === undefined) merged.delete(path);
      else merged.set(path, entry);
    }
    try {
      await this.#write(merged);
    } catch (error) {
      // Not being able to remember costs only time; what has to be written reports it.
      if (!(error instanceof UserError)) throw error;
    }
    this.#changed.clear();
  }

  /** Forgets files that are no longer there. */
  async prune(): Promise<void> {
    const entries = this.#load();
    let pruned = false;
    for (const path of [...entries.keys()]) {
      if (await Deno.stat(path).then(() => true, () => false)) continue;
      pruned = entries.delete(path);
    }
    if (pruned) await this.#write(entries);
  }

  async #write(entries: ReadonlyMap<string, Entry>): Promise<void> {
    const content: DigestsFile = { version: 1, files: Object.fromEntries(entries) };
    await this.#files.write(this.#files.layout.fileDigests, JSON.stringify(content));
  }

  #load(): Map<string, Entry> {
    try {
      const content = JSON.parse(
        Deno.readTextFileSync(this.#files.layout.fileDigests),
      ) as DigestsFile;
      return new Map(content.version === 1 ? Object.entries(content.files) : []);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return new Map();
      throw explainWrite(error, this.#files.layout.root);
    }
  }
}

function stampOf(path: string): [size: number, modified: number, changed: number, inode: number] {
  const info = Deno.statSync(path);
  if (info.isDirectory) {
    throw new UserError({
      message: `"${path}" is a folder, not a file`,
      hint: "Name a file in it",
    });
  }
  return [info.size, info.mtime?.getTime() ?? 0, info.ctime?.getTime() ?? 0, info.ino ?? 0];
}

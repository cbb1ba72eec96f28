/**
 * Writing into a store so that a reader, or a kill at any moment, sees either the old file or the new one.
 *
 * @module
 */

import { dirname, join } from "../base/path.ts";
import { explainWrite, StoreError } from "./explain.ts";
import { type Layout, STORE_VERSION } from "./layout.ts";

/** Temporary files of processes that died are removed by the next writer after a day. */
const STALE_MILLISECONDS = 24 * 3600 * 1000;

const CACHE_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n" +
  "# This folder is a cache: see https://bford.info/cachedir/\n";

/** Atomic, durable writes into one store. */
export class StoreFiles {
  readonly layout: Layout;
  #prepared: Promise<void> | undefined;

  constructor(layout: Layout) {
    this.layout = layout;
  }

  /**
   * Writes a file: temporary file → fsync → rename → fsync of the folder.
   *
   * @param modified A modification time to set in the end.
   * @throws {UserError} If the disk is full or the store not writable.
   */
  async write(target: string, content: Uint8Array | string, modified?: Date): Promise<void> {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await this.writeWith(async (file) => {
      await writeAll(file, bytes);
      return { target, ...(modified === undefined ? {} : { modified }) };
    });
  }

  /**
   * Writes a file that may get lost, as a whole, when the machine stops: temporary file → rename. A kill of the process
   * leaves either the old file or the new one.
   *
   * @throws {UserError} If the disk is full or the store not writable.
   */
  async writeLosable(target: string, content: string): Promise<void> {
    await this.prepare();
    const temporary = join(this.layout.temporary, `${Deno.pid}-${crypto.randomUUID()}`);
    try {
      Deno.writeTextFileSync(temporary, content, { createNew: true });
      Deno.mkdirSync(dirname(target), { recursive: true });
      Deno.renameSync(temporary, target);
    } catch (error) {
      await Deno.remove(temporary).catch(() => {});
      throw explainWrite(error, this.layout.root);
    }
  }

  /**
   * Like {@linkcode StoreFiles.write}, for content that comes bit by bit and that may decide the place.
   *
   * @param fill Writes the content; says where the file goes, or `undefined` to drop it.
   */
  async writeWith(
    fill: (
      file: Deno.FsFile,
    ) => Promise<{ readonly target: string; readonly modified?: Date } | undefined>,
  ): Promise<void> {
    await this.prepare();
    const temporary = join(this.layout.temporary, `${Deno.pid}-${crypto.randomUUID()}`);
    let renamed = false;
    try {
      using file = await Deno.open(temporary, { createNew: true, write: true });
      const place = await fill(file);
      if (place === undefined) return;
      await file.sync();
      await makeFolder(dirname(place.target));
      await Deno.rename(temporary, place.target);
      renamed = true;
      // Not before: an old temporary file would look like one that a killed process left.
      if (place.modified !== undefined) await file.utime(place.modified, place.modified);
      await syncFolder(dirname(place.target));
    } catch (error) {
      throw explainWrite(error, this.layout.root);
    } finally {
      if (!renamed) await Deno.remove(temporary).catch(() => {});
    }
  }

  /** Makes the store's folders, once; refuses a store of another version. */
  prepare(): Promise<void> {
    this.#prepared ??= this.#prepare().catch((error) => {
      this.#prepared = undefined;
      throw explainWrite(error, this.layout.root);
    });
    return this.#prepared;
  }

  async #prepare(): Promise<void> {
    const { root, version, temporary } = this.layout;
    await Deno.mkdir(temporary, { recursive: true });
    if (!this.checkVersion()) {
      await Deno.writeTextFile(join(root, "CACHEDIR.TAG"), CACHE_TAG);
      await Deno.writeTextFile(join(root, ".gitignore"), "*\n");
      await Deno.writeTextFile(version, `${STORE_VERSION}\n`);
    }
    await removeStale(temporary);
  }

  /**
   * Whether the store's folder exists and says its version.
   *
   * @throws {UserError} If another version of the program wrote it in a form that this one does not know.
   */
  checkVersion(): boolean {
    let text: string;
    try {
      text = Deno.readTextFileSync(this.layout.version);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw explainWrite(error, this.layout.root);
    }
    // An empty file is one that a kill left between creation and its two bytes.
    if (text.trim() === "") return false;
    if (text.trim() !== String(STORE_VERSION)) {
      throw new StoreError({
        message:
          `Store "${this.layout.root}" has version ${text.trim()}; this program reads version ${STORE_VERSION}`,
        hint: "Choose another folder with --store, or delete this one",
      });
    }
    return true;
  }
}

/** Writes all the bytes; a single `write` may take only some of them. */
export async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await Deno.mkdir(folder);
    await syncFolder(dirname(folder));
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return;
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    await makeFolder(dirname(folder));
    await makeFolder(folder);
  }
}

async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open folders; its renames are journaled.
  if (Deno.build.os === "windows") return;
  using opened = await Deno.open(folder);
  await opened.sync();
}

async function removeStale(folder: string): Promise<void> {
  const limit = Date.now() - STALE_MILLISECONDS;
  for await (const { name } of Deno.readDir(folder)) {
    const path = join(folder, name);
    const modified = (await Deno.stat(path).catch(() => undefined))?.mtime;
    if (modified && modified.getTime() < limit) await Deno.remove(path).catch(() => {});
  }
}

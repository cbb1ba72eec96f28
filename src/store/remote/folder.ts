/**
 * A remote store that is a folder, such as a shared disk.
 *
 * @module
 */

import { dirname, join } from "../../base/path.ts";
import { StoreFiles } from "../files.ts";
import { Layout } from "../layout.ts";
import { type Content, RemoteError, type Transport } from "./transport.ts";

/** Files in a folder. It has the form of a local store, and can be one. */
export class FolderTransport implements Transport {
  readonly #root: string;
  readonly #files: StoreFiles;

  constructor(root: string) {
    this.#root = root;
    this.#files = new StoreFiles(new Layout(root));
  }

  async get(path: string): Promise<Content | undefined> {
    await this.#requireFolder();
    return await this.#try(async () => {
      try {
        return (await Deno.open(join(this.#root, path))).readable;
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return undefined;
        throw error;
      }
    });
  }

  async has(path: string): Promise<boolean> {
    await this.#requireFolder();
    return await this.#try(async () => {
      try {
        return (await Deno.stat(join(this.#root, path))).isFile;
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return false;
        throw error;
      }
    });
  }

  async put(path: string, content: Uint8Array): Promise<void> {
    await this.#try(() => this.#files.write(join(this.#root, path), content));
  }

  /** A disk that is not mounted is an outage, not an empty store; a new folder beside others is one. */
  async #requireFolder(): Promise<void> {
    await this.#try(async () => {
      if (!(await exists(this.#root)) && !(await exists(dirname(this.#root)))) {
        throw new RemoteError(`folder "${this.#root}" does not exist`);
      }
    });
  }

  async #try<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (error instanceof RemoteError || !(error instanceof Error)) throw error;
      throw new RemoteError(error.message, undefined, { cause: error });
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/**
 * Values that follow from what they are named after, kept because making them takes longer than reading them.
 *
 * @module
 */

import { canonicalJson, type JsonValue } from "../base/canonical_json.ts";
import { UserError } from "../base/errors.ts";
import { digestOf } from "./digest.ts";
import { StoreFiles } from "./files.ts";
import { Layout } from "./layout.ts";

/** The values that are kept in one store's folder; none if there is no store yet. */
export class Memos {
  readonly #files: StoreFiles;

  /** @param root The store's folder. */
  constructor(root: string) {
    this.#files = new StoreFiles(new Layout(root));
  }

  /**
   * The value that follows from some ingredients, from the folder or else made.
   *
   * @param ingredients All that the value depends on, with the version of what makes it.
   * @param make Makes the value; one that is `undefined` is not kept.
   */
  async get<V extends JsonValue>(
    ingredients: JsonValue,
    make: () => Promise<V | undefined>,
  ): Promise<V | undefined> {
    const path = this.#files.layout.memo(digestOf(canonicalJson(ingredients)));
    const kept = read(path);
    if (kept !== undefined) return kept as V;
    const value = await make();
    if (value !== undefined) await this.#keep(path, value);
    return value;
  }

  async #keep(path: string, value: JsonValue): Promise<void> {
    try {
      if (!this.#files.checkVersion()) return;
      // The order of keys is part of what was read.
      const text = JSON.stringify(value);
      await this.#files.writeLosable(path, `${digestOf(text)}\n${text}`);
    } catch (error) {
      // Not being able to remember costs only time; what has to be written reports it.
      if (!(error instanceof UserError)) throw error;
    }
  }
}

/** A value after the digest of its text; `undefined` if it is not there or damaged. */
function read(path: string): JsonValue | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
  const end = text.indexOf("\n");
  const content = text.slice(end + 1);
  return digestOf(content) === text.slice(0, end) ? JSON.parse(content) as JsonValue : undefined;
}

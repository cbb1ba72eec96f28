/**
 * What a data set format has to offer.
 *
 * @module
 */

import type { Digest } from "../../store/digest.ts";
import type { ResolveFile, SelectionRecipe, SourceRecipeOf } from "../recipe_types.ts";
import type { Source, SourceShape } from "../source.ts";
import type { DatasetFormat, DatasetSpecs } from "../spec.ts";

/** What a format may use to describe an entry. */
export interface DescribeContext {
  /** The absolute path that a text in the entry means. */
  locate(text: string, path: readonly (string | number)[]): Promise<string>;
  /** The digest of a file, which thereby becomes one of the data set's files. */
  digest(path: string): Promise<Digest>;
  /** The selection, for formats that make it themselves. */
  readonly selection: SelectionRecipe;
}

/** An entry without paths, and what its files' headers tell. */
export interface Described<F extends DatasetFormat> {
  readonly source: SourceRecipeOf<F>;
  readonly shape: SourceShape;
  /** How many items there are, where that is known without reading all of the file. */
  readonly count?: number;
  /** Whether the selection is made already. */
  readonly selected?: boolean;
}

/** A data set format. */
export interface Format<F extends DatasetFormat> {
  /**
   * Finds an entry's files, checks their headers and turns the entry into content.
   *
   * @throws {UserError} If a file is missing or is not what the entry says.
   */
  describe(spec: DatasetSpecs[F], context: DescribeContext): Promise<Described<F>>;
  /**
   * Opens the files.
   *
   * @throws {UserError} If a file is missing, changed, or is not what the entry says.
   */
  open(
    recipe: SourceRecipeOf<F>,
    resolve: ResolveFile,
    options: OpenOptions,
  ): Source | Promise<Source>;
}

/** What a format may need to know beside its own recipe. */
export interface OpenOptions {
  /** The class names that the entry gives; `null` if it gives none. */
  readonly classes: readonly string[] | null;
}

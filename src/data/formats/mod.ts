/**
 * The data set formats: adding one is a schema, a file beside these, and a line here.
 *
 * @module
 */

import type { ResolveFile, SourceRecipe, SourceRecipeOf } from "../recipe_types.ts";
import type { Source } from "../source.ts";
import type { DatasetFormat, DatasetSpec, DatasetSpecs } from "../spec.ts";
import { cifarFormat } from "./cifar.ts";
import { csvFormat } from "./csv.ts";
import type { DescribeContext, Described, Format, OpenOptions } from "./format.ts";
import { idxFormat } from "./idx.ts";
import { imagesFormat } from "./images.ts";
import { npyFormat } from "./npy.ts";
import { npzFormat } from "./npz.ts";
import { syntheticFormat } from "./synthetic.ts";

const FORMATS: { readonly [F in DatasetFormat]: Format<F> } = {
  idx: idxFormat,
  npy: npyFormat,
  npz: npzFormat,
  csv: csvFormat,
  cifar: cifarFormat,
  images: imagesFormat,
  synthetic: syntheticFormat,
};

/** The format that an entry's key names. */
export function formatOf(spec: DatasetSpec): DatasetFormat {
  const found = (Object.keys(FORMATS) as DatasetFormat[]).filter((format) =>
    Object.hasOwn(spec, format)
  );
  if (found.length !== 1) {
    throw new TypeError(`Entry must name one format: it names ${found.length}`);
  }
  return found[0]!;
}

/** Describes an entry by its format. */
export function describeSource(
  spec: DatasetSpec,
  context: DescribeContext,
): Promise<Described<DatasetFormat>> {
  return describeAs(formatOf(spec), spec, context);
}

function describeAs<F extends DatasetFormat>(
  format: F,
  spec: DatasetSpec,
  context: DescribeContext,
): Promise<Described<F>> {
  return FORMATS[format].describe(spec as DatasetSpecs[F], context);
}

/** Opens a source by its format. */
export async function openSource(
  recipe: SourceRecipe,
  resolve: ResolveFile,
  options: OpenOptions,
): Promise<Source> {
  return await openAs(recipe.format, recipe, resolve, options);
}

function openAs<F extends DatasetFormat>(
  format: F,
  recipe: SourceRecipe,
  resolve: ResolveFile,
  options: OpenOptions,
): Source | Promise<Source> {
  return FORMATS[format].open(recipe as SourceRecipeOf<F>, resolve, options);
}

/**
 * The data set formats: adding one is a schema, a file beside these, and a line here. Each is loaded when a data set
 * has it.
 *
 * @module
 */

import { importLater } from "../../base/import_later.ts";
import type { ResolveFile, SourceRecipe, SourceRecipeOf } from "../recipe_types.ts";
import type { Source } from "../source.ts";
import type { DatasetFormat, DatasetSpec, DatasetSpecs } from "../spec.ts";
import type { DescribeContext, Described, Format, OpenOptions } from "./format.ts";

const FORMATS: { readonly [F in DatasetFormat]: () => Promise<Format<F>> } = {
  idx: async () => (await load<typeof import("./idx.ts")>("idx")).idxFormat,
  npy: async () => (await load<typeof import("./npy.ts")>("npy")).npyFormat,
  npz: async () => (await load<typeof import("./npz.ts")>("npz")).npzFormat,
  csv: async () => (await load<typeof import("./csv.ts")>("csv")).csvFormat,
  cifar: async () => (await load<typeof import("./cifar.ts")>("cifar")).cifarFormat,
  images: async () => (await load<typeof import("./images.ts")>("images")).imagesFormat,
  synthetic: async () => (await load<typeof import("./synthetic.ts")>("synthetic")).syntheticFormat,
};

function load<M>(format: DatasetFormat): Promise<M> {
  return importLater<M>(import.meta.resolve(`./${format}.ts`));
}

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
export async function describeSource(
  spec: DatasetSpec,
  context: DescribeContext,
): Promise<Described<DatasetFormat>> {
  return await describeAs(formatOf(spec), spec, context);
}

async function describeAs<F extends DatasetFormat>(
  name: F,
  spec: DatasetSpec,
  context: DescribeContext,
): Promise<Described<F>> {
  const format = await FORMATS[name]();
  return await format.describe(spec as DatasetSpecs[F], context);
}

/** Opens a source by its format. */
export async function openSource(
  recipe: SourceRecipe,
  resolve: ResolveFile,
  options: OpenOptions,
): Promise<Source> {
  return await openAs(recipe.format, recipe, resolve, options);
}

async function openAs<F extends DatasetFormat>(
  name: F,
  recipe: SourceRecipe,
  resolve: ResolveFile,
  options: OpenOptions,
): Promise<Source> {
  const format = await FORMATS[name]();
  return await format.open(recipe as SourceRecipeOf<F>, resolve, options);
}

/**
 * A data set as content: what identifies its items, without paths or times.
 *
 * A recipe is plain JSON. Its canonical text is the bytes of the artifact, so two data sets that deliver the same
 * items in the same way from the same bytes are one artifact, wherever their files lie.
 *
 * @module
 */

import type { Digest } from "../store/digest.ts";
import type { DatasetType } from "./dataset.ts";
import type { FILTERS } from "./spec/preprocess.ts";

/** How pixels are interpolated. */
export type Filter = typeof FILTERS[number];

/** Where an array's pixels are. */
export type ImageAxes = "hw" | "hwc" | "chw";

/** How items become tensors, with every default filled in. */
export interface PreprocessRecipe {
  /** `null` keeps the source's channels: arrays that hold no pictures, or pictures with 2 or 5 channels. */
  readonly channels: "rgb" | "bgr" | "gray" | null;
  readonly resize: {
    /** A number is the shorter side. */
    readonly size: number | readonly [height: number, width: number];
    readonly filter: Filter;
    readonly antialias: boolean;
  } | null;
  readonly pad: {
    readonly sides: readonly [top: number, left: number, bottom: number, right: number];
    readonly value: number;
  } | null;
  readonly crop: {
    readonly size: readonly [height: number, width: number];
    readonly at: "center" | readonly [top: number, left: number];
  } | null;
  /** Numerator and denominator: x · scale[0] / scale[1]. */
  readonly scale: readonly [number, number];
  /** One number, or one per channel. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly layout: "nchw" | "nhwc";
  readonly reshape: readonly number[] | null;
  /** Element type for each input, in order. */
  readonly dtype: readonly DatasetType[];
}

/** Which items, of those that the source has. */
export interface SelectionRecipe {
  readonly split: {
    readonly seed: number;
    /** The part's bounds as fractions of the items, in the order in which they were dealt. */
    readonly from: number;
    readonly to: number;
  } | null;
  readonly shuffle: number | null;
  readonly skip: number;
  /** `null` takes all. */
  readonly take: number | null;
}

/** One array of a source. */
export interface ArrayRecipe {
  /** The model input that it feeds; `null` is the only one. */
  readonly input: string | null;
  readonly file: Digest;
}

/** The distribution of one synthetic array. */
export interface DrawRecipe {
  readonly input: string | null;
  readonly shape: readonly number[];
  readonly distribution: "uniform" | "normal" | "integer";
  /** Low and high, or mean and standard deviation. */
  readonly parameters: readonly [number, number];
}

/** Where the items come from, by format. */
export type SourceRecipe =
  | {
    readonly format: "idx";
    readonly input: string | null;
    readonly images: Digest;
    readonly labels: Digest | null;
  }
  | {
    readonly format: "npy";
    readonly arrays: readonly ArrayRecipe[];
    readonly labels: Digest | null;
    readonly target: Digest | null;
    readonly image: ImageAxes | null;
  }
  | {
    readonly format: "npz";
    readonly file: Digest;
    readonly arrays: readonly { readonly input: string | null; readonly array: string }[];
    readonly labels: string | null;
    readonly target: string | null;
    readonly image: ImageAxes | null;
  }
  | {
    readonly format: "csv";
    readonly input: string | null;
    readonly file: Digest;
    readonly header: boolean;
    readonly delimiter: "," | ";" | "\t" | "|";
    /** Column numbers from 0. */
    readonly columns: readonly number[];
    readonly labels: number | null;
    readonly target: readonly number[] | null;
  }
  | {
    readonly format: "cifar";
    readonly input: string | null;
    readonly files: readonly Digest[];
    readonly variant: "cifar10" | "cifar100";
    readonly labels: "fine" | "coarse";
  }
  | {
    /** The selection is already made: these are the items, in order. */
    readonly format: "images";
    readonly input: string | null;
    readonly files: readonly Digest[];
    readonly labels: readonly number[] | null;
  }
  | {
    readonly format: "synthetic";
    readonly arrays: readonly DrawRecipe[];
    readonly count: number;
    readonly seed: number;
  };

/** The source of one format. */
export type SourceRecipeOf<F extends SourceRecipe["format"]> = Extract<SourceRecipe, { format: F }>;

/** A data set as content. */
export interface DatasetRecipe {
  readonly version: 1;
  readonly source: SourceRecipe;
  readonly selection: SelectionRecipe;
  readonly preprocess: PreprocessRecipe;
  /** How the same pictures become the model's expected output. */
  readonly target: PreprocessRecipe | null;
  readonly labelOffset: number;
  /** Class names, where they are known. */
  readonly classes: readonly string[] | null;
}

/** Finds the file with a digest; how an opened data set reaches its files. */
export type ResolveFile = (digest: Digest) => string;

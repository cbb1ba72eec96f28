/**
 * The cache key of a stage: what its result depends on, and nothing else.
 *
 * Contents are in it; paths, times, attempts and host names are not. Settings that cannot change a result
 * (jobs, threads, memory, log level) have no field here and therefore cannot enter.
 *
 * @module
 */

import { canonicalJson, type JsonValue } from "../base/canonical_json.ts";
import { type Digest, digestOf } from "./digest.ts";

/** SHA-256 of a canonical {@linkcode KeyManifest}: 64 lower-case hex digits. */
export type Key = string;

/** Raised when the meaning of the key's fields changes: then nothing made before is a hit. */
export const KEY_SCHEMA = 1;

/** One input of a stage, as the key sees it. */
export interface KeyInput {
  readonly port: string;
  readonly kind: string;
  readonly digest: Digest;
}

/** Everything that a stage's result depends on. */
export interface KeyIngredients {
  /** The stage's name in the registry. */
  readonly stage: string;
  /** The version of its implementation. */
  readonly version: number;
  /** For a stage from a plugin: the digest of the plugin's source. */
  readonly code?: Digest;
  /** With the defaults filled in. */
  readonly parameters: { readonly [name: string]: JsonValue };
  /** In the order of the stage's ports. */
  readonly inputs: readonly KeyInput[];
  readonly seed: number;
  /** For a stage that executes models: runtime version, provider and the options that change results. */
  readonly engine?: { readonly [name: string]: JsonValue };
}

/** The pre-image of a key, kept with every result so that a rerun can be explained. */
export interface KeyManifest extends KeyIngredients {
  readonly schema: number;
}

/** A key and what it was made from. */
export interface Keyed {
  readonly key: Key;
  readonly manifest: KeyManifest;
}

/**
 * Makes the key of a stage.
 *
 * @throws {TypeError} If a parameter is not a JSON value.
 */
export function keyOf(ingredients: KeyIngredients): Keyed {
  const manifest: KeyManifest = {
    schema: KEY_SCHEMA,
    stage: ingredients.stage,
    version: ingredients.version,
    ...(ingredients.code === undefined ? {} : { code: ingredients.code }),
    parameters: ingredients.parameters,
    inputs: ingredients.inputs.map(({ port, kind, digest }) => ({ port, kind, digest })),
    seed: ingredients.seed,
    ...(ingredients.engine === undefined ? {} : { engine: ingredients.engine }),
  };
  return { key: keyOfManifest(manifest), manifest };
}

/** The key that a manifest hashes to; a stored manifest that hashes to another key is damaged. */
export function keyOfManifest(manifest: KeyManifest): Key {
  return digestOf(canonicalJson(manifest as unknown as JsonValue));
}

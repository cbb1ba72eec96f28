/**
 * Results of stages by key.
 *
 * @module
 */

import type { Digest } from "../registry/artifact.ts";
import type { Key, KeyManifest } from "./key.ts";

/** One output of a stage. */
export interface StoredOutput {
  readonly kind: string;
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

/** What is kept of a stage that succeeded. */
export interface Action {
  /** By port. */
  readonly outputs: Readonly<Record<string, StoredOutput>>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly warnings: readonly string[];
  /** How long the stage took. */
  readonly seconds: number;
  /** The run that made it. */
  readonly run: string;
  /** When it was made, ISO 8601. */
  readonly finished: string;
}

/** An {@linkcode Action} as it is read back. */
export interface StoredAction extends Action {
  readonly key: Key;
  readonly manifest: KeyManifest;
}

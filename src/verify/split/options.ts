/**
 * What a search is told, and what it says.
 *
 * @module
 */

import type { Bracket } from "../bracket.ts";
import type { Semantics } from "../bounds/roundoff.ts";
import type { ExpandThreads } from "./pool.ts";

/** When a search ends, and how it works. */
export interface SearchOptions {
  /** A box is done with an output when its bound is at most so many times what was found. */
  readonly ratio?: number;
  /**
   * A box is done with an output when its bound is at most this. Without a ratio, an output with a larger difference
   * that was found is done everywhere.
   */
  readonly target?: number;
  /** Boxes that are bounded at most. Without this and `time`, a search ends where splitting does not help any more. */
  readonly boxes?: number;
  /** Milliseconds; a result that ended so depends on the machine. A box that is bounded whole takes one pass at least. */
  readonly time?: number;
  readonly semantics?: Semantics;
  /** Which inner rows are made; chosen by what they do on the whole domain unless told. */
  readonly rows?: "values" | "differences";
  readonly threads?: number;
  /** Threads that outlive the search, instead of so many of its own. */
  readonly pool?: ExpandThreads | undefined;
  /** Boxes that one expansion holds. */
  readonly batch?: number;
  /** Points that are known already, such as those of an attack. */
  readonly points?: readonly Float64Array[];
  readonly signal?: AbortSignal;
  /**
   * A search of the same box with the same options that was interrupted, as `save` was given it. What it finds then is
   * what it would have found, unless `time` ends it.
   */
  readonly resume?: Uint8Array;
  /** Called between rounds; may keep the state that it is given when it asks for it. */
  save?(state: () => Uint8Array<ArrayBuffer>): Promise<void>;
  progress?(state: SearchProgress): void;
}

/** Where a search is. */
export interface SearchProgress {
  readonly boxes: number;
  readonly open: number;
  readonly settled: number;
  /** Estimate of the boxes that are still to be bounded. */
  readonly left: number;
  readonly found: number;
  readonly proven: number;
}

/** What a search gives. */
export interface SearchResult extends Bracket {
  /** Boxes that were divided in two. */
  readonly splits: number;
  /** Boxes that are not done. */
  readonly open: number;
  /** Estimate of the boxes that are still to be bounded: 0 when complete, infinite where splitting has not helped yet. */
  readonly left: number;
  /** Whether every box is done. */
  readonly isComplete: boolean;
  /** If it ended because splitting did not help any more: the boxes that there were when it last did. */
  readonly standsStill?: number;
  /** Of a box that is bounded whole: passes that there was no time for. */
  readonly omitted?: readonly OmittedPass[];
}

/** A pass that can make the bound of a whole box tighter: with slopes for each row, or of the merged network. */
export type OmittedPass = "slopes" | "merged";

/**
 * What a remote store has to be able to do.
 *
 * @module
 */

/** Bytes as they come. */
export type Content = AsyncIterable<Uint8Array>;

/** How long to wait. */
export interface Patience {
  /** For an answer, and for each further part of it, in milliseconds. */
  readonly pause: number;
  /** For a whole answer, besides what its size takes at 100 kB/s. */
  readonly whole: number;
}

/** Files by relative paths such as `blobs/ab/cdef`, somewhere else. */
export interface Transport {
  /**
   * The content of a file; `undefined` if there is none.
   *
   * @param size How many bytes are expected, for which time is left.
   * @throws {RemoteError} If it cannot be known, also while the content comes.
   */
  get(path: string, size: number): Promise<Content | undefined>;
  /** Whether there is such a file. */
  has(path: string): Promise<boolean>;
  /** Writes a file; nobody ever sees a part of it. */
  put(path: string, content: Uint8Array): Promise<void>;
}

/** A remote store could not be used; the message is the end of a sentence. */
export class RemoteError extends Error {
  /** What may mend it. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "RemoteError";
    this.hint = hint;
  }
}

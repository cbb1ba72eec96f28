/**
 * Whether code that is not Bitbound's, that of plugins, may be imported into this thread.
 *
 * A program that wants to take rights away from such code lets its first thread refuse it, and does the same once more in a
 * Worker that has fewer rights.
 *
 * @module
 */

/** What a pipeline with plugins writes, as far as it can be told without importing them. */
export interface ForeignCode {
  /** Folders that the stages which come with Bitbound copy their outputs to, absolute. */
  readonly exports: readonly string[];
  /** The folder of the pipeline file. */
  readonly directory: string;
  /** What the pipeline says of its store. */
  readonly store?: {
    readonly local?: string;
    readonly remote?: string;
    readonly mode?: "read" | "read-write";
  };
}

/** Thrown in place of importing such code. */
export class ConfinementNeeded extends Error {
  readonly code: ForeignCode;
  /** What the work may write, besides the exports: files and folders, absolute. */
  readonly writes: string[] = [];

  constructor(code: ForeignCode) {
    super("Foreign code must be imported into a thread of its own");
    this.name = "ConfinementNeeded";
    this.code = code;
  }
}

let isRefused = false;

/** Lets this thread refuse such code from now on. */
export function refuseForeignCode(): void {
  isRefused = true;
}

/**
 * To be called before such code is imported.
 *
 * @throws {ConfinementNeeded} If this thread refuses it.
 */
export function admitForeignCode(describe: () => ForeignCode): void {
  if (isRefused) throw new ConfinementNeeded(describe());
}

/**
 * Errors that are the user's to mend. Everything else that is thrown is a defect of ours.
 *
 * A {@linkcode UserError} is printed as its message, its place and its hint, never as a stack trace.
 *
 * @module
 */

/** A place in a text file. Lines and columns count from 1. */
export interface SourcePlace {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  /** The text of the line, for the caret picture. */
  readonly text?: string;
  /** How many columns the caret underlines; 1 unless told. */
  readonly length?: number;
}

/** One thing that is wrong, where it is, and what mends it. */
export interface Problem {
  /** What is wrong: names the thing and the value. */
  readonly message: string;
  readonly place?: SourcePlace;
  /** The command, field or value that mends it. */
  readonly hint?: string;
}

/** A mistake in a file, a command line, a model or data: all its problems at once. */
export class UserError extends Error {
  readonly problems: readonly Problem[];

  /** @param problems One or more problems; a string is a problem with only a message. */
  constructor(problems: string | Problem | readonly Problem[], options?: ErrorOptions) {
    const list = typeof problems === "string"
      ? [{ message: problems }]
      : Array.isArray(problems)
      ? problems as readonly Problem[]
      : [problems as Problem];
    super(list.map((problem) => problem.message).join("\n"), options);
    this.name = "UserError";
    this.problems = list;
  }
}

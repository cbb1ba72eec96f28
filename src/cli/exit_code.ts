/**
 * What the process's exit code says.
 *
 * @module
 */

/** Exit codes by meaning. */
export const ExitCode = {
  done: 0,
  /** A stage failed, or the program has a defect. */
  failed: 1,
  /** The pipeline file or the command line is wrong. */
  usage: 2,
  /** An `expect` was not met. */
  expectation: 3,
  /** With `--frozen`: something is not as the lock file says. */
  frozen: 4,
  interrupted: 130,
} as const;

/** An exit code. */
export type ExitCode = typeof ExitCode[keyof typeof ExitCode];

/**
 * Why a certificate is not accepted.
 *
 * @module
 */

/** Thrown where a certificate cannot be accepted. The message says what is wrong with it. */
export class Refusal extends Error {
  override readonly name = "Refusal";

  /** @param hint What to try, where there is something. */
  constructor(message: string, readonly hint?: string) {
    super(message);
  }
}

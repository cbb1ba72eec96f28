/**
 * Variables of the environment that need not be allowed.
 *
 * @module
 */

/** A variable; `undefined` if it is empty, not set, or Deno does not let this process see it. */
export function variable(name: string): string | undefined {
  try {
    return Deno.env.get(name) || undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

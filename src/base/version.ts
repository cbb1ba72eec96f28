/**
 * What the program is called and which version it is.
 *
 * @module
 */

import configuration from "../../deno.json" with { type: "json" };

/** Its name on the command line. */
export const PROGRAM = "bitbound";

/** Its version. */
export const VERSION: string = configuration.version;

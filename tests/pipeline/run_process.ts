/**
 * A process that runs a pipeline file given on the command line and prints each event.
 *
 * @module
 */

import { run } from "./support.ts";

const [file] = Deno.args;
const { exitCode } = await run(file!, {
  executor: "workers",
  onEvent: (event) => console.log(JSON.stringify(event)),
});
Deno.exit(exitCode);

// Work that does not stop when it is interrupted.
import { Interrupted, interruptible } from "../../src/cli/interrupt.ts";

try {
  await interruptible(() => {
    console.log("working");
    return new Promise(() => setInterval(() => {}, 1000));
  });
} catch (error) {
  if (!(error instanceof Interrupted)) throw error;
  console.log("gave up");
  Deno.exit(7);
}

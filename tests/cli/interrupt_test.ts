import assert from "node:assert/strict";
import { join } from "node:path";
import { project } from "./fixture.ts";

function start(): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", join(project, "tests/cli/stubborn_work.ts")],
    stdout: "piped",
  }).spawn();
}

Deno.test("work that does not stop is left after the first Ctrl-C", async () => {
  const process = start();
  let said = "";
  for await (const text of process.stdout.pipeThrough(new TextDecoderStream())) {
    if (said === "") process.kill("SIGINT");
    said += text;
  }
  assert.equal((await process.status).code, 7);
  assert.equal(said, "working\ngave up\n");
});

Deno.test("a second Ctrl-C ends the program at once", async () => {
  const process = start();
  let said = "";
  for await (const text of process.stdout.pipeThrough(new TextDecoderStream())) {
    if (said === "") {
      // Of one signal, two that arrive together count as one; and after a pause the first would be given up.
      process.kill("SIGINT");
      process.kill("SIGTERM");
    }
    said += text;
  }
  assert.equal((await process.status).code, 130);
  assert.equal(said, "working\n");
});

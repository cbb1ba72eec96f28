import assert from "node:assert/strict";
import { join } from "node:path";
import { permissionsOf, project } from "./fixture.ts";
import { Folder } from "../pipeline/support.ts";

/** Standard error of a program, with what Deno tells of the modules that it loads. */
async function debugged(args: readonly string[], cwd: string): Promise<string> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--log-level=debug", ...args],
    cwd,
    env: { NO_COLOR: "1", BITBOUND_CWD: "" },
  }).output();
  const text = new TextDecoder().decode(stderr);
  assert.equal(code, 0, text);
  return text;
}

/** The parts of Node's library that were loaded. */
function partsOfNode(log: string): string[] {
  assert.match(log, /ES module: file:/);
  return [...log.matchAll(/ES module: ((?:node:|ext:deno_node\/)[^\s,]+)/g)].map(([, name]) =>
    name!
  );
}

Deno.test("commands on what is cached load nothing of Node's library", async () => {
  using folder = new Folder();
  folder.write(
    "net.yaml",
    `
name: net
inputs: { model: { onnx: ${JSON.stringify(join(project, "examples/digits/cnn.onnx"))} } }
stages:
  - uses: prepare
  - { uses: quantize, with: { activations: { mode: none } } }
`,
  );
  folder.write("timer.ts", "setTimeout(() => {}, 0);");
  // Else the test would hold when Deno says something else.
  const timer = await debugged([folder.join("timer.ts")], folder.path);
  assert.ok(partsOfNode(timer).includes("node:timers"));

  // Deno that is quiet tells nothing.
  const flags = permissionsOf("bitbound").filter((flag) => flag !== "--quiet");
  const program = [...flags, join(project, "src/cli/main.ts")];
  await debugged([...program, "run", "net.yaml"], folder.path);
  for (
    const command of [["run", "net.yaml"], ["plan", "net.yaml"], ["explain", "net.yaml"], [
      "status",
    ]]
  ) {
    const log = await debugged([...program, ...command], folder.path);
    assert.deepEqual(partsOfNode(log), [], command.join(" "));
  }
});

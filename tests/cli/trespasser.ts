/**
 * A plugin with a stage that tries what no stage may do, and says what came of it.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import process from "node:process";
import { Type } from "../../src/base/type.ts";
import { defineStage } from "../../src/registry/stage.ts";

/** What came of attempts, by name: the message of the error, or "done". */
async function attemptAll(
  attempts: Readonly<Record<string, () => unknown>>,
): Promise<Record<string, string>> {
  const tried: Record<string, string> = {};
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      await attempt();
      tried[name] = "done";
    } catch (error) {
      tried[name] = (error as Error).message;
    }
  }
  return tried;
}

/** What is tried when the module is imported: beside the pipeline, where a test has a folder for it. */
const atImport = await attemptAll({
  importedWrite: () => Deno.writeTextFileSync("outside/imported", "x"),
  importedCommand: () => new Deno.Command("true").outputSync(),
});

/** Starts a thread and waits for what it says. */
function ask(code: string, options: WorkerOptions = {}): Promise<unknown> {
  const url = `data:text/javascript,${encodeURIComponent(code)}`;
  const worker = new Worker(url, { ...options, type: "module" });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => data === "done" ? resolve(data) : reject(new Error(data));
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
  });
}

function writeInThread(path: string): string {
  return `try { Deno.writeTextFileSync(${JSON.stringify(path)}, "x"); postMessage("done"); }
    catch (error) { postMessage(error.message); }`;
}

export default defineStage({
  name: "trespass",
  version: 1,
  summary: "Try what no stage may do",
  description: "",
  parameters: Type.Object({ outside: Type.String(), port: Type.Integer(), to: Type.String() }),
  inputs: {},
  outputs: { tried: { kind: "json", description: "The error of each attempt" } },
  engine: false,
  publish: ({ to }) => [{ output: "tried", to }],
  async run({ outside, port }) {
    const attempts: Record<string, () => unknown> = {
      fetch: () => fetch(`http://127.0.0.1:${port}/`),
      connect: () => Deno.connect({ hostname: "127.0.0.1", port }),
      listen: () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
      resolve: () => Deno.resolveDns("localhost", "A"),
      websocket: () => new WebSocket(`ws://127.0.0.1:${port}/`),
      import: () => import("https://example.org/a.ts" as string),
      write: () => Deno.writeTextFile(`${outside}/written`, "x"),
      make: () => Deno.mkdir(`${outside}/made`),
      link: () => Deno.symlink(outside, `${outside}/link`),
      remove: () => Deno.remove(`${outside}/there`),
      rename: () => Deno.rename("p.yaml", "q.yaml"),
      overwrite: () => Deno.writeTextFile("p.yaml", "name: other"),
      climb: () => Deno.writeTextFile(`exports/../outside/climbed`, "x"),
      hardLink: () => Deno.link(`${outside}/there`, "exports/linked"),
      symbolicLink: () => Deno.symlink(outside, "exports/link"),
      temporary: () => Deno.writeTextFile(`${Deno.cwd()}/../bitbound-written`, "x"),
      nodeWrite: () => fs.writeFileSync(`${outside}/node`, "x"),
      nodeCommand: () => spawnSync("true").error && Promise.reject(spawnSync("true").error),
      nodeConnect: () =>
        new Promise((resolve, reject) =>
          net.connect(port, "127.0.0.1").on("connect", resolve).on("error", reject)
        ),
      library: () => Deno.dlopen("libc.so.6", {}),
      nodeLibrary: () => process.dlopen({ exports: {} }, "/lib/library.node"),
      process: () => Deno.kill(Deno.ppid, "SIGCONT"),
      thread: () => ask(writeInThread(`${outside}/thread`)),
      threadWithMore: () =>
        ask(writeInThread(`${outside}/thread`), { deno: { permissions: { write: true } } }),
      command: () => new Deno.Command("true").output(),
      worker: () =>
        Deno.permissions.request({ name: "net" }).then(({ state }) => {
          if (state !== "granted") throw new Deno.errors.NotCapable(state);
        }),
    };
    return { outputs: { tried: { ...atImport, ...await attemptAll(attempts) } } };
  },
});

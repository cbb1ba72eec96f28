/**
 * A plugin with a stage that tries what no stage may do, and says what came of it.
 *
 * @module
 */

import { Type } from "../../src/base/type.ts";
import { defineStage } from "../../src/registry/stage.ts";

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
      command: () => new Deno.Command("true").output(),
      worker: () =>
        Deno.permissions.request({ name: "net" }).then(({ state }) => {
          if (state !== "granted") throw new Deno.errors.NotCapable(state);
        }),
    };
    const tried: Record<string, string> = {};
    for (const [name, attempt] of Object.entries(attempts)) {
      try {
        await attempt();
        tried[name] = "done";
      } catch (error) {
        tried[name] = (error as Error).message;
      }
    }
    return { outputs: { tried } };
  },
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { openRemote } from "../../../src/store/remote/open.ts";
import { openStore } from "../../../src/store/store.ts";
import { action, keyed, temporaryFolder } from "../fixture.ts";
import { awsVariables } from "./servers.ts";

/** Another implementation of S3's server, from PyPI. */
const MOTO = (Deno.env.get("PATH") ?? "").split(":").map((folder) => join(folder, "moto_server"))
  .find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });

Deno.test({
  name: `results are shared through moto's S3${
    MOTO === undefined ? ": moto_server is not there" : ""
  }`,
  ignore: MOTO === undefined,
  async fn() {
    await using folder = temporaryFolder();
    const port = 20_000 + Deno.pid % 20_000;
    const url = `http://127.0.0.1:${port}`;
    const server = new Deno.Command(MOTO!, {
      args: ["-H", "127.0.0.1", "-p", String(port)],
      stdout: "null",
      stderr: "null",
    }).spawn();
    try {
      await untilUp(url, server);
      await (await fetch(`${url}/bucket`, { method: "PUT" })).body?.cancel();
      const variables = awsVariables(url);
      const warnings: string[] = [];
      const open = async (name: string, mode: "read" | "read-write", bucket = "bucket") => {
        const onWarning = (message: string) => warnings.push(message);
        const remote = await openRemote({
          address: `s3://${bucket}/some prefix`,
          directory: folder.path,
          mode,
          trust: [],
          isChosen: true,
          environment: (name) => variables[name],
          onWarning,
        });
        return openStore(join(folder.path, name), { onWarning, remote: remote! });
      };
      const key = keyed("moto");
      const bytes = crypto.getRandomValues(new Uint8Array(60_000));
      {
        await using store = await open("giver", "read-write");
        await store.record(key, action(await store.putBlob(bytes)));
      }
      await using store = await open("taker", "read");
      const found = (await store.lookup(key.key)).action;
      assert.deepEqual(await store.readBlob(found!.outputs.out!.digest), bytes);
      assert.equal((await store.lookup(keyed("none").key)).action, undefined);
      assert.deepEqual(warnings, []);
      await using nowhere = await open("nowhere", "read", "nobucket");
      await nowhere.lookup(key.key);
      assert.match(warnings.join(), /has no such bucket/);
    } finally {
      try {
        server.kill();
      } catch {
        // It ended by itself.
      }
      await server.status;
    }
  },
});

/** Waits for as long as the server lives: a busy machine may take a minute to start it. */
async function untilUp(url: string, server: Deno.ChildProcess): Promise<void> {
  let isOver = false;
  server.status.then(() => isOver = true);
  while (!isOver) {
    try {
      await (await fetch(url)).body?.cancel();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  throw new Error("moto_server did not start");
}

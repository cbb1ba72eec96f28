import assert from "node:assert/strict";
import { join } from "node:path";
import configuration from "../../deno.json" with { type: "json" };
import { awsVariables, s3Server } from "../store/remote/servers.ts";
import { call, workspace } from "./fixture.ts";

const CHAIN = `
  - uses: count
  - { id: more, uses: count, in: { before: count.out } }
`;

const statuses = (text: string) =>
  JSON.parse(text).stages.map(({ status }: { status: string }) => status);

Deno.test("results are given to a remote store when told to, planned from it, and taken from it", async () => {
  await using folder = workspace(CHAIN);
  const remote = ["--remote", "file:shared"];
  const read = await folder.call("run", "p.yaml", "--store", "a", ...remote);
  assert.equal(read.code, 0, read.stderr);
  await assert.rejects(() => Deno.stat(join(folder.path, "shared")), Deno.errors.NotFound);

  const write = ["--remote-mode", "read-write"];
  const given = await folder.call("run", "p.yaml", "--store", "a", ...remote, ...write);
  assert.match(given.stderr, /^Remote store: 2 results \(\d+ B\) given$/m);

  const planned = await folder.call("plan", "p.yaml", "--store", "b", ...remote);
  assert.match(planned.stdout, /^count\s+count\s+cached\s.*result is in the remote store/m);
  await assert.rejects(() => Deno.stat(join(folder.path, "b")), Deno.errors.NotFound);
  const dry = await folder.call("run", "p.yaml", "--store", "b", ...remote, "--dry-run");
  assert.equal(dry.stdout, planned.stdout);

  const taken = await folder.call("run", "p.yaml", "--store", "b", ...remote, "--json");
  assert.deepEqual(statuses(taken.stdout), ["hit", "hit"]);
  assert.match(taken.stderr, /^Remote store: 2 results \(\d+ B\) taken$/m);
  assert.equal((await folder.call("cache", "verify", "--store", "b")).code, 0);
});

Deno.test("a pipeline says where its results are; the command line goes before it", async () => {
  await using folder = workspace(
    CHAIN,
    "store: { local: ours, remote: file:shared, mode: read-write }\n",
  );
  assert.match((await folder.call("run", "p.yaml")).stderr, /2 results \(\d+ B\) given/);
  assert.ok((await Deno.stat(join(folder.path, "ours/blobs"))).isDirectory);
  const explained = await folder.call("explain", "p.yaml");
  assert.match(explained.stdout, /^count is cached/m);
  const other = await folder.call("run", "p.yaml", "--store", "b", "--remote", "none", "--json");
  assert.deepEqual(statuses(other.stdout), ["ran", "ran"]);
  const env = { BITBOUND_REMOTE: "file:second", BITBOUND_REMOTE_MODE: "read" };
  await call(["run", "p.yaml"], { cwd: folder.path, env });
  await assert.rejects(() => Deno.stat(join(folder.path, "second")), Deno.errors.NotFound);
  const wrong = await call(["run", "p.yaml"], {
    cwd: folder.path,
    env: { BITBOUND_REMOTE_MODE: "write" },
  });
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /BITBOUND_REMOTE_MODE is "write"\n.*→ Set it to read or read-write/);
});

Deno.test("without the network, a store that the user names is a mistake, one of the file a warning", async () => {
  await using folder = workspace(CHAIN, "store: { remote: https://cache.example/x }\n");
  const named = await folder.call("run", "p.yaml", "--remote", "s3://bucket/x");
  assert.equal(named.code, 2);
  assert.match(
    named.stderr,
    /error: Remote store "s3:\/\/bucket\/x" needs the network[^]*→ Use deno task run:remote instead of deno task run, or call deno with --allow-net=bucket\.s3\.us-east-1\.amazonaws\.com:443/,
  );
  assert.ok("run:remote" in configuration.tasks);
  const said = await folder.call("run", "p.yaml");
  assert.equal(said.code, 0);
  assert.equal(said.stderr.match(/^warning: Remote store/gm)?.length, 1);
  assert.match(said.stderr, /--allow-net=cache\.example:443/);
});

Deno.test("mistakes in store: have their place", async () => {
  await using folder = workspace(CHAIN, "store: { remote: ftp://x, mode: write, trust: [me] }\n");
  const { code, stderr } = await folder.call("check", "p.yaml");
  assert.equal(code, 2);
  assert.match(stderr, /store\.mode[^]*at p\.yaml:3/);
  assert.match(stderr, /store\.trust[^]*at p\.yaml:3/);
  await using other = workspace(CHAIN, "store: { remote: ftp://x }\n");
  const address = await other.call("run", "p.yaml");
  assert.equal(address.code, 2);
  assert.match(address.stderr, /Remote store "ftp:\/\/x" begins with "ftp:"\n\s+at p\.yaml:3:18/);
});

Deno.test("the task with the network shares results through S3, and a wrong secret is told once", async () => {
  await using server = s3Server();
  await using folder = workspace(CHAIN, "store: { remote: s3://bucket/x }\n");
  const options = { cwd: folder.path, task: "bitbound:remote" as const };
  const env = awsVariables(server.url);
  const args = ["run", "p.yaml", "--json"];
  const write = ["--remote-mode", "read-write"];
  const given = await call([...args, "--store", "a", ...write], { ...options, env });
  assert.match(given.stderr, /2 results \(\d+ B\) given/);
  const taken = await call([...args, "--store", "b"], { ...options, env });
  assert.deepEqual(statuses(taken.stdout), ["hit", "hit"]);
  const wrong = await call([...args, "--store", "c"], {
    ...options,
    env: { ...env, AWS_SECRET_ACCESS_KEY: "wrong" },
  });
  assert.deepEqual(statuses(wrong.stdout), ["ran", "ran"]);
  assert.equal(wrong.stderr.match(/Remote store/g)?.length, 1);
  assert.match(wrong.stderr, /answers 403 to a GET; work goes on with the local store alone/);
});

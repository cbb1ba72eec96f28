import assert from "node:assert/strict";
import { join } from "node:path";
import { UserError } from "../../../src/base/errors.ts";
import { SigningKey } from "../../../src/base/signature.ts";
import { digestOf } from "../../../src/store/digest.ts";
import { openRemote, type OpenRemoteOptions } from "../../../src/store/remote/open.ts";
import type { Patience } from "../../../src/store/remote/transport.ts";
import { readResultFile, resultFile } from "../../../src/store/result_file.ts";
import { openStore, type StoredAction } from "../../../src/store/store.ts";
import { action, keyed, temporaryFolder } from "../fixture.ts";
import { awsVariables, CREDENTIALS, httpServer, s3Server, type TestServer } from "./servers.ts";
import { findFault, signatureOf } from "./signature_v4.ts";

/** For servers that do not answer; those that do may be slow on a busy machine. */
/** Each runs out by itself, however slow the machine is. */
const IMPATIENCE: Readonly<Record<string, Patience>> = {
  silence: { pause: 400, whole: 60_000 },
  "no end of a refusal": { pause: 400, whole: 60_000 },
  drip: { pause: 60_000, whole: 800 },
};
const BYTES = new TextEncoder().encode("the result of a stage".repeat(1000));

/** Stores in one folder that share a remote store. */
function sharing(folder: string, options: Partial<OpenRemoteOptions> & { address: string }) {
  const warnings: string[] = [];
  const open = async (name: string, rest: Partial<OpenRemoteOptions> = {}) => {
    const onWarning = (message: string) => warnings.push(message);
    const remote = await openRemote({
      directory: folder,
      mode: "read",
      trust: [],
      isChosen: true,
      environment: () => undefined,
      onWarning,
      ...options,
      ...rest,
    });
    return {
      remote: remote!,
      store: openStore(join(folder, name), { onWarning, remote: remote! }),
    };
  };
  return { open, warnings };
}

type Sharing = ReturnType<typeof sharing>;

/** Records a result in one store, and says what another one finds of it. */
async function giveAndTake({ open }: Sharing, give: Partial<OpenRemoteOptions> = {}, take = {}) {
  const key = keyed("shared");
  {
    const { store } = await open("giver", { mode: "read-write", ...give });
    await using _closing = store;
    const blob = await store.putBlob(BYTES);
    await store.record(key, action(blob, { metrics: { top1: 0.5 } }));
  }
  const { store, remote } = await open("taker", take);
  await using _closing = store;
  const { action: found } = await store.lookup(key.key);
  const [output] = Object.values(found?.outputs ?? {});
  const bytes = output === undefined ? undefined : await store.readBlob(output.digest);
  return { found, bytes, remote };
}

async function assertShares(shared: Sharing): Promise<void> {
  const { found, bytes, remote } = await giveAndTake(shared);
  assert.deepEqual(found?.metrics, { top1: 0.5 });
  assert.deepEqual(bytes, BYTES);
  assert.deepEqual(remote.taken, { results: 1, bytes: BYTES.length });
  assert.deepEqual(shared.warnings, []);
  // What was taken stays: the third time, nobody is asked.
  const { store } = await shared.open("taker", { address: "file:nowhere/at/all" });
  await using _closing = store;
  assert.ok((await store.lookup(keyed("shared").key)).action !== undefined);
  assert.deepEqual(shared.warnings, []);
}

Deno.test("results are shared through a folder, which is a store itself", async () => {
  await using folder = temporaryFolder();
  await assertShares(sharing(folder.path, { address: "file:shared" }));
  await using store = openStore(join(folder.path, "shared"));
  assert.ok((await store.lookup(keyed("shared").key)).action !== undefined);
});

Deno.test("results are shared through a server, and writing needs the token", async () => {
  await using folder = temporaryFolder();
  await using server = httpServer({ token: "t0k" });
  const environment = (name: string) => name === "BITBOUND_REMOTE_TOKEN" ? "t0k" : undefined;
  await assertShares(sharing(folder.path, { address: `${server.url}/cache`, environment }));
  assert.ok([...server.files.keys()].every((path) => path.startsWith("cache/")));
  assert.equal(server.files.size, 2);
});

Deno.test("results are shared through S3, with requests signed as AWS documents it", async () => {
  await using folder = temporaryFolder();
  await using server = s3Server();
  const variables = awsVariables(server.url);
  await assertShares(sharing(folder.path, {
    address: "s3://bucket/team/cache (old)",
    environment: (name) => variables[name],
  }));
  assert.ok(
    server.files.has(
      `bucket/team/cache (old)/blobs/${digestOf(BYTES).slice(0, 2)}/${digestOf(BYTES).slice(2)}`,
    ),
  );
});

Deno.test("the test server's signatures are those of AWS's own example", () => {
  const empty = digestOf("");
  const request = {
    method: "GET",
    path: "/test.txt",
    query: new URLSearchParams(),
    headers: new Headers({
      host: "examplebucket.s3.amazonaws.com",
      range: "bytes=0-9",
      "x-amz-content-sha256": empty,
      "x-amz-date": "20130524T000000Z",
    }),
  };
  const signature = signatureOf(
    request,
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "20130524/us-east-1/s3/aws4_request",
    "host;range;x-amz-content-sha256;x-amz-date",
  );
  assert.equal(signature, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  assert.equal(findFault(request, new Uint8Array(), CREDENTIALS), "AccessDenied");
});

Deno.test("nothing is written to a remote store that is only read", async () => {
  await using folder = temporaryFolder();
  await using server = httpServer({ token: "t0k" });
  const environment = () => "t0k";
  const shared = sharing(folder.path, { address: server.url, environment });
  const { found } = await giveAndTake(shared, { mode: "read" });
  assert.equal(found, undefined);
  assert.equal(server.files.size, 0);
  assert.ok(server.log.every((line) => line.startsWith("GET ")), server.log.join("\n"));
});

Deno.test("a result that is here already is given too, once", async () => {
  await using folder = temporaryFolder();
  await using server = httpServer({ token: "t0k" });
  const shared = sharing(folder.path, { address: server.url, environment: () => "t0k" });
  await giveAndTake(shared, { mode: "read" });
  for (let attempt = 0; attempt < 2; attempt++) {
    const { store } = await shared.open("giver", { mode: "read-write" });
    await using _closing = store;
    await store.lookup(keyed("shared").key);
    await store.lookup(keyed("shared").key);
  }
  assert.equal(server.files.size, 2);
  assert.equal(server.log.filter((line) => line.startsWith("PUT ")).length, 2);
});

/** A server that has the result, and what is done to it. */
async function takeDamaged(damage: (server: TestServer) => void) {
  await using folder = temporaryFolder();
  await using server = httpServer({ token: "t0k" });
  const shared = sharing(folder.path, { address: server.url, environment: () => "t0k" });
  await giveAndTake(shared);
  damage(server);
  const { store } = await shared.open("second");
  await using _closing = store;
  const { action: found } = await store.lookup(keyed("shared").key);
  const left = [...Deno.readDirSync(folder.path)].flatMap(({ name }) =>
    name === "second" ? filesIn(join(folder.path, name)) : []
  );
  return { found, left, warnings: shared.warnings.map((each) => each.replace(server.url, "URL")) };
}

function filesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesIn(join(folder, name)) : [name]
  );
}

const isBlob = (path: string) => path.startsWith("blobs/");

/** Changes the result's file; its checksum is right again. */
function forge(server: TestServer, change: (action: StoredAction) => unknown): void {
  for (const [path, bytes] of server.files) {
    if (isBlob(path)) continue;
    const { action } = JSON.parse(new TextDecoder().decode(bytes));
    const changed = change(action) as StoredAction;
    server.files.set(path, new TextEncoder().encode(resultFile(changed)));
  }
}

Deno.test("blobs with other bytes than their digest says are passed over, and not kept", async () => {
  for (
    const other of [
      BYTES.with(5, 0),
      BYTES.subarray(1),
      new Uint8Array(0),
      new Uint8Array([...BYTES, 0]),
    ]
  ) {
    const { found, left, warnings } = await takeDamaged(({ files }) => {
      for (const path of files.keys()) if (isBlob(path)) files.set(path, other);
    });
    assert.equal(found, undefined);
    assert.match(
      warnings.join(),
      /^Remote store "URL" has not the bytes of blob [0-9a-f]{12} of result [0-9a-f]{12}; the result is passed over$/,
    );
    assert.deepEqual(left.filter((name) => /^[0-9a-f-]{20,}/.test(name)), []);
  }
});

Deno.test("results that are not what was asked for are passed over", async () => {
  const key = keyed("shared");
  const forgeries: ((action: StoredAction) => unknown)[] = [
    (action) => ({ ...action, key: keyed("other").key }),
    (action) => ({ ...action, manifest: keyed("other").manifest }),
    (action) => ({ ...action, outputs: { out: { kind: "json", digest: "../../../x", size: 1 } } }),
    (action) => ({ ...action, outputs: { out: { ...action.outputs.out, size: -1 } } }),
    (action) => ({ ...action, outputs: { out: { ...action.outputs.out, size: 1e300 } } }),
    (action) => ({ ...action, outputs: [1] }),
    (action) => ({ ...action, metrics: { top1: "1" } }),
    (action) => ({ ...action, warnings: "none" }),
    (action) => ({ ...action, manifest: null }),
    () => null,
  ];
  for (const change of forgeries) {
    const { found, warnings } = await takeDamaged((server) => forge(server, change));
    assert.equal(found, undefined);
    assert.deepEqual(warnings, [
      `Remote store "URL" has a damaged result ${key.key.slice(0, 12)}; it is passed over`,
    ]);
  }
  const { found } = await takeDamaged((server) => forge(server, (action) => action));
  assert.ok(found !== undefined, "the forging itself breaks nothing");
});

/** So many bytes, five a second. */
function drip(bytes: number): ReadableStream<Uint8Array> {
  let sent = 0;
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      if (sent++ < bytes) controller.enqueue(new Uint8Array(1));
      else controller.close();
    },
  }, { highWaterMark: 0 });
}

Deno.test("an outage is told once, and work goes on here", async () => {
  const outages: [string, () => Response | Promise<Response>, RegExp][] = [
    ["error", () => new Response("", { status: 503 }), /answers 503 to a GET; work goes on with/],
    ["refusal", () => new Response("", { status: 403 }), /answers 403 to a GET; [^]*TOKEN/],
    [
      "elsewhere",
      () => new Response("", { status: 302, headers: { location: "https://else.where/" } }),
      /answers 302 to a GET: it is elsewhere; [^]*https:\/\/else\.where\//,
    ],
    [
      "silence",
      () => new Promise((resolve) => setTimeout(() => resolve(new Response("")), 1500)),
      /does not answer within 1 s/,
    ],
    [
      "drip",
      // It ends at some time: a server that is shut down waits for what it has begun.
      () => new Response(drip(20)),
      /does not answer within 2 s/,
    ],
    [
      "no end of a refusal",
      () => new Response(drip(20), { status: 404 }),
      /does not answer within 1 s/,
    ],
  ];
  for (const [name, misbehave, expected] of outages) {
    await using folder = temporaryFolder();
    let asked = 0;
    await using server = httpServer({
      misbehave: () => {
        asked++;
        return misbehave();
      },
    });
    const shared = sharing(folder.path, {
      address: server.url,
      ...(IMPATIENCE[name] !== undefined && { patience: IMPATIENCE[name] }),
    });
    const { store } = await shared.open("here", { mode: "read-write" });
    await using _closing = store;
    for (const each of ["one", "two"]) {
      assert.equal((await store.lookup(keyed(each).key)).action, undefined);
      await store.record(keyed(each), action(await store.putBlob(BYTES)));
      assert.ok((await store.lookup(keyed(each).key)).action !== undefined);
    }
    assert.equal(shared.warnings.length, 1, `${name}: ${shared.warnings.join("\n")}`);
    assert.match(shared.warnings[0]!, expected, name);
    assert.ok(asked <= 2, `${name}: asked ${asked} times`);
  }
});

Deno.test("a server that is not there, or stops in the middle, is an outage", async () => {
  await using folder = temporaryFolder();
  const server = httpServer();
  await server[Symbol.asyncDispose]();
  const gone = sharing(folder.path, { address: server.url });
  const { store } = await gone.open("here");
  assert.equal((await store.lookup(keyed("one").key)).action, undefined);
  assert.match(gone.warnings.join(), /cannot be reached: .*[Rr]efused.*; work goes on/);
  await store[Symbol.asyncDispose]();
});

Deno.test("where keys are trusted, only what they signed is taken", async () => {
  const [ours, other] = [SigningKey.generate(), SigningKey.generate()];
  const cases: [give: Partial<OpenRemoteOptions>, taken: boolean, said: RegExp][] = [
    [{ key: ours }, true, /^$/],
    [{}, false, /that is not signed; it is passed over/],
    [{ key: other }, false, /is signed by ed25519:\S{43}, which is not trusted; it is passed over/],
  ];
  for (const [give, taken, said] of cases) {
    await using folder = temporaryFolder();
    const shared = sharing(folder.path, { address: "file:shared" });
    const { found } = await giveAndTake(shared, give, { trust: [ours.publicKey] });
    assert.equal(found !== undefined, taken);
    assert.match(shared.warnings.join(), said);
  }
});

Deno.test("a signature is of one result, and of all of it", () => {
  const key = SigningKey.generate();
  const [one, two] = [keyed("one"), keyed("two")];
  const blob = { digest: digestOf(BYTES), size: BYTES.length };
  const text = resultFile({ ...one, ...action(blob) }, (content) => key.sign(content));
  const file = JSON.parse(text);
  assert.ok(readResultFile(text, one.key)?.signature !== undefined);
  const moved = JSON.parse(resultFile({ ...two, ...action(blob) }));
  const other = readResultFile(JSON.stringify({ ...moved, signature: file.signature }), two.key)!;
  assert.notEqual(other.checksum, file.checksum);
});

Deno.test("addresses that cannot be used are refused with a reason", async () => {
  const cases: [Partial<OpenRemoteOptions> & { address: string }, RegExp][] = [
    [{ address: "ftp://host/x" }, /begins with "ftp:"/],
    [{ address: "cache" }, /"cache" is no address/],
    [{ address: "s3:///prefix" }, /names no bucket/],
    [{ address: "s3://Bucket_/prefix" }, /names no bucket/],
    [{ address: "s3://bucket/prefix?regoin=x" }, /has "regoin"/],
    [{ address: "s3://bucket/?endpoint=nowhere" }, /Endpoint "nowhere" is no address/],
    [{ address: "https://user:hunter2@host/x" }, /^Remote store "host" has a user or a password/],
    [{ address: "https://host/x?token=1" }, /goes on after its path/],
    [{ address: "http://cache.example/x" }, /is not encrypted/],
    [{ address: "s3://bucket/x?endpoint=http://minio.example" }, /is not encrypted/],
    [{ address: "https://host", trust: ["ed25519:abc"] }, /"ed25519:abc" is no public key/],
  ];
  for (const [options, expected] of cases) {
    await assert.rejects(() => sharing("/tmp", options).open("x"), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, expected);
      assert.doesNotMatch(JSON.stringify(error.problems), /hunter2/);
      return true;
    });
  }
  // Signed results may come over any line: all that is missing there is leave to use the network.
  const trusted = { address: "http://cache.example/x", trust: [SigningKey.generate().publicKey] };
  await sharing("/tmp", trusted).open("x").catch(({ message }: Error) =>
    assert.match(message, /needs the network/)
  );
});

Deno.test("a token is only sent to a server that the user chose", async () => {
  await using folder = temporaryFolder();
  const tokens: (string | null)[] = [];
  await using server = httpServer({
    misbehave: (request) => {
      tokens.push(request.headers.get("authorization"));
      return undefined;
    },
  });
  for (const isChosen of [true, false]) {
    const options = { address: server.url, environment: () => "t0k", isChosen };
    const { store } = await sharing(folder.path, options).open("here");
    await using _closing = store;
    await store.lookup(keyed("one").key);
  }
  assert.deepEqual(tokens, ["Bearer t0k", null]);
});

Deno.test("a bucket that is not there is no empty one", async () => {
  await using folder = temporaryFolder();
  await using server = s3Server();
  const variables = awsVariables(server.url);
  const shared = sharing(folder.path, {
    address: "s3://nobucket/x",
    environment: (name) => variables[name],
  });
  const { store } = await shared.open("here");
  await using _closing = store;
  assert.equal((await store.lookup(keyed("one").key)).action, undefined);
  assert.match(shared.warnings.join(), /"s3:\/\/nobucket\/x" has no such bucket; work goes on/);
});

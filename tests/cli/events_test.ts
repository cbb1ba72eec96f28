import assert from "node:assert/strict";
import { join } from "node:path";
import { Ajv } from "ajv";
import { call, project, workspace } from "./fixture.ts";

type Event = Record<string, unknown> & { type: string };

const schema = JSON.parse(Deno.readTextFileSync(join(project, "schemas/events.schema.json")));
const accepts = new Ajv({ strict: false }).compile(schema);
/** The published types, each with its own schema, so that an event cannot pass for another. */
const types = new Map<string, ReturnType<Ajv["compile"]>>(
  schema.anyOf.map((each: { properties: { type: { const: string } } }) => [
    each.properties.type.const,
    new Ajv({ strict: false }).compile({ ...each, definitions: schema.definitions }),
  ]),
);

async function eventsOf(file: string): Promise<Event[]> {
  const text = await Deno.readTextFile(file);
  assert.ok(text.endsWith("\n"));
  return text.trimEnd().split("\n").map((line) => {
    const event = JSON.parse(line) as Event;
    assert.ok(accepts(event as unknown), `${line}\n${JSON.stringify(accepts.errors)}`);
    const own = types.get(event.type)!;
    assert.ok(own(event), `${line}\n${JSON.stringify(own.errors)}`);
    return event;
  });
}

Deno.test("every event of every sort has the published form, with nothing that is not published", async () => {
  await using folder = workspace(`
  - { uses: count, with: { to: 6 }, expect: { value: "<= 2" } }
  - { id: bad, uses: fail, in: { before: count.out } }
  - { id: after, uses: count, in: { before: bad.out } }
  - { id: mistaken, uses: fail, with: { how: mistake }, in: { before: count.out } }
`);
  folder.write(
    "q.yaml",
    `name: q
inputs: { model: { onnx: ${join(project, "examples/ci/digits.onnx")} } }
stages: [{ uses: quantize, with: { activations: { mode: none } } }, { uses: export }]
`,
  );
  const seen: Event[] = [];
  for (
    const args of [
      ["p.yaml", "--keep-going", "--jobs", "1"],
      ["p.yaml", "--jobs", "1"],
      ["q.yaml"],
      ["q.yaml"],
    ]
  ) {
    await folder.call("run", ...args, "--events", "e.ndjson");
    const events = await eventsOf(join(folder.path, "e.ndjson"));
    assert.equal(events[0]!.type, "run.start");
    assert.equal(events.at(-1)!.type, "run.end");
    assert.equal(new Set(events.map(({ run }) => run)).size, 1);
    const times = events.map(({ time }) => String(time));
    assert.deepEqual(times, times.toSorted());
    seen.push(...events);
  }
  assert.deepEqual([...new Set(seen.map(({ type }) => type))].sort(), [...types.keys()].sort());
  const statuses = seen.filter(({ type }) => type === "stage.end").map(({ status }) => status);
  for (const status of ["hit", "ran", "failed", "blocked", "skipped"]) {
    assert.ok(statuses.includes(status), status);
  }
  for (const event of seen) {
    const published = Object.keys(
      schema.anyOf.find((each: { properties: { type: { const: string } } }) =>
        each.properties.type.const === event.type
      ).properties,
    );
    assert.deepEqual(Object.keys(event).filter((name) => !published.includes(name)), []);
  }
});

Deno.test("annotations name files from the root of the repository", async () => {
  await using folder = workspace('  - { uses: count, expect: { value: "<= 2" } }\n');
  await Deno.mkdir(join(folder.path, "sub"));
  const { code, stderr } = await call(["run", "../p.yaml"], {
    cwd: join(folder.path, "sub"),
    env: { GITHUB_ACTIONS: "true", GITHUB_WORKSPACE: folder.path },
  });
  assert.equal(code, 3);
  assert.match(stderr, /^::error file=p\.yaml,line=4,col=\d+::count: value is 3, expected <= 2/m);
});

Deno.test("events go to standard output where that is asked for, and nothing else does", async () => {
  await using folder = workspace(`
  - { uses: count, with: { to: 2 } }
`);
  const { code, stdout, stderr } = await folder.call("run", "p.yaml", "--events", "-");
  assert.equal(code, 0, stderr);
  const events = stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as Event);
  for (const event of events) assert.ok(accepts(event as unknown), JSON.stringify(event));
  assert.deepEqual([events[0]!.type, events.at(-1)!.type], ["run.start", "run.end"]);
  assert.match(stderr, /^Done in /m);
  const both = await folder.call("run", "p.yaml", "--events", "-", "--json");
  assert.equal(both.code, 2);
  assert.match(both.stdout + both.stderr, /--json and --events - contradict each other/);
});

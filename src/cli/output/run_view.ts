/**
 * What a person sees while a pipeline runs: a line for each stage that is over and, on a terminal, a live line
 * for each that is under way.
 *
 * @module
 */

import { cutText, padText, printable, type Style, textWidth } from "../../base/terminal_text.ts";
import { formatSeconds, formatWholeSeconds } from "../../base/units.ts";
import type { RunEvent, StageEndEvent, StageFailure } from "../../pipeline/events.ts";
import { LiveRegion } from "./live_region.ts";
import { problemLines } from "./problems.ts";
import { ProgressMeter } from "./progress_meter.ts";
import type { TextStream } from "./streams.ts";

/** Without a terminal, how often a long stage says that it is alive. */
const PLAIN_SECONDS = 15;
const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/** Turns a run's events into text. */
export class RunView {
  readonly #stream: TextStream;
  readonly #style: Style;
  readonly #region: LiveRegion | undefined;
  readonly #meters = new Map<string, ProgressMeter>();
  readonly #said = new Map<string, number>();
  readonly #debug: boolean;
  readonly #after = new Map<string, readonly string[]>();
  readonly #unsuccessful = new Set<string>();
  #width = 0;
  #total = 0;
  #over = 0;
  #started = 0;

  /** @param debug Whether defects of stages are shown with their stack. */
  constructor(stream: TextStream, debug: boolean) {
    this.#stream = stream;
    this.#debug = debug;
    this.#style = stream.style;
    this.#region = stream.interactive
      ? new LiveRegion(stream, (width) => this.#liveLines(width))
      : undefined;
  }

  /** Takes one event. */
  readonly onEvent = (event: RunEvent): void => {
    const now = performance.now() / 1000;
    switch (event.type) {
      case "run.start":
        this.#started = now;
        this.#total = event.stages.length;
        for (const { id, after } of event.stages) this.#after.set(id, after);
        this.#width = Math.max(0, ...event.stages.map(({ id }) => textWidth(id)));
        break;
      case "stage.start":
        this.#meters.set(event.stage, new ProgressMeter(now));
        this.#said.set(event.stage, now);
        if (this.#region === undefined) this.#print([this.#line(" ", event.stage, "starts")]);
        break;
      case "stage.progress": {
        const meter = this.#meters.get(event.stage);
        meter?.update(event, now);
        if (meter !== undefined && this.#region === undefined) {
          this.#sayPlain(event.stage, meter, now);
        }
        break;
      }
      case "stage.warning":
        this.#print([this.#warning(event.stage, event.message)]);
        break;
      case "stage.end": {
        const hasStarted = this.#meters.delete(event.stage);
        this.#over++;
        if (event.status !== "hit" && event.status !== "ran") this.#unsuccessful.add(event.stage);
        this.#print(this.#endLines(event, hasStarted));
        break;
      }
      case "stage.plan":
      case "stage.provenance":
      case "run.end":
        break;
    }
  };

  /** Takes the live lines off the terminal. */
  close(): void {
    this.#region?.close();
  }

  #print(lines: readonly string[]): void {
    if (this.#region === undefined) this.#stream.lines(...lines);
    else this.#region.print(lines);
  }

  #line(mark: string, id: string, text: string): string {
    return `${mark} ${padText(printable(id), this.#width)}  ${text}`;
  }

  #warning(id: string | undefined, message: string): string {
    const mark = this.#style.yellow("!");
    return id === undefined
      ? `${mark} ${printable(message)}`
      : this.#line(mark, id, printable(message));
  }

  #endLines(event: StageEndEvent, hasStarted: boolean): string[] {
    const { green, red, yellow, dim } = this.#style;
    const id = event.stage;
    switch (event.status) {
      case "hit":
        return [
          this.#line(green("✓"), id, dim("cached")),
          ...event.warnings.map((message) => this.#warning(id, message)),
        ];
      case "ran":
        return [this.#line(green("✓"), id, formatSeconds(event.seconds))];
      case "skipped":
        return [this.#line(dim("-"), id, dim(hasStarted ? "interrupted" : "not started"))];
      case "blocked": {
        const missing = (this.#after.get(id) ?? []).filter((each) => this.#unsuccessful.has(each));
        return [this.#line(yellow("-"), id, `not started: it needs ${missing.join(" and ")}`)];
      }
      case "failed":
        return [
          this.#line(red("✗"), id, `failed after ${formatSeconds(event.seconds)}`),
          ...this.#failureLines(event.error).map((line) => `  ${line}`),
        ];
    }
  }

  #failureLines(failure: StageFailure | undefined): string[] {
    if (failure === undefined) return [];
    const lines = problemLines(failure.problems, this.#style, this.#stream.columns() - 2);
    if (!failure.defect) return lines;
    if (this.#debug) return [...lines, ...(failure.stack ?? "").split("\n")];
    const advice = "This is a defect of the stage; --debug shows where it comes from";
    return [...lines, `  ${this.#style.cyan("→")} ${advice}`];
  }

  #sayPlain(id: string, meter: ProgressMeter, now: number): void {
    if (now - this.#said.get(id)! < PLAIN_SECONDS) return;
    this.#said.set(id, now);
    this.#print([this.#line(" ", id, meter.describe(now, this.#style))]);
  }

  #liveLines(width: number): string[] {
    if (this.#meters.size === 0) return [];
    const now = performance.now() / 1000;
    const spinner = this.#style.cyan(SPINNER[Math.floor(now * 10) % SPINNER.length]!);
    const left = Math.min(this.#width, Math.floor(width / 3));
    const lines = [...this.#meters].map(([id, meter]) => {
      const name = padText(cutText(printable(id), left), left);
      return `${spinner} ${name}  ${meter.describe(now, this.#style, width - left - 4)}`;
    });
    const elapsed = formatWholeSeconds(Math.floor(now - this.#started));
    const overall = `  ${this.#over} of ${this.#total} stages · ${elapsed}`;
    return [...lines, this.#style.dim(cutText(overall, width))];
  }
}

/**
 * How fast a stage is and when it will be done.
 *
 * @module
 */

import { cutText, padText, type Style } from "../../base/terminal_text.ts";
import { formatNumber, formatWholeSeconds } from "../../base/units.ts";

/** What a stage reports. */
export interface MeterReading {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  readonly unit: string;
  readonly values?: Readonly<Record<string, number>> | undefined;
}

/** A rate needs this long to mean something. */
const SETTLING_SECONDS = 0.5;
/** Weight of the newest measurement halves in this time. */
const HALF_LIFE_SECONDS = 3;
const BAR_WIDTH = 16;
/** A time left that is longer says nothing: work has all but come to a standstill, or its end cannot be foreseen. */
const LONGEST_SECONDS = 30 * 86400;

/** The progress of one stage. */
export class ProgressMeter {
  readonly #started: number;
  #phaseStarted: number;
  #reading: MeterReading | undefined;
  #readAt = 0;
  #measured: { readonly at: number; readonly done: number } | undefined;
  #rate: number | undefined;

  /** @param now Seconds on any clock. */
  constructor(now: number) {
    this.#started = now;
    this.#phaseStarted = now;
  }

  /** Takes what the stage says. */
  update(reading: MeterReading, now: number): void {
    const before = this.#reading;
    this.#reading = reading;
    this.#readAt = now;
    if (
      before?.phase !== reading.phase || before.total !== reading.total ||
      reading.done < before.done
    ) {
      this.#phaseStarted = now;
      this.#measured = { at: now, done: reading.done };
      this.#rate = undefined;
      return;
    }
    const last = this.#measured!;
    const elapsed = now - last.at;
    if (elapsed < SETTLING_SECONDS / 2) return;
    const current = (reading.done - last.done) / elapsed;
    const weight = 2 ** (-elapsed / HALF_LIFE_SECONDS);
    this.#rate = this.#rate === undefined ? current : weight * this.#rate + (1 - weight) * current;
    this.#measured = { at: now, done: reading.done };
  }

  /** Things per second, once that is known. */
  rate(now: number): number | undefined {
    return now - this.#phaseStarted < SETTLING_SECONDS ? undefined : this.#rate;
  }

  /** Seconds until this phase is done, once that is known. */
  remaining(now: number): number | undefined {
    const rate = this.rate(now);
    if (this.#reading === undefined || rate === undefined || rate <= 0) return undefined;
    const left = (this.#reading.total - this.#reading.done) / rate;
    return left > LONGEST_SECONDS ? undefined : Math.max(0, left - (now - this.#readAt));
  }

  /**
   * One line: phase, bar, count, rate, values, time left.
   *
   * @param width What does not fit is cut off. Unless told, all is there but the bar.
   */
  describe(now: number, style: Style, width?: number): string {
    const reading = this.#reading;
    const elapsed = formatWholeSeconds(Math.floor(now - this.#started));
    if (reading === undefined) return style.dim(elapsed);
    const { phase, done, total, unit, values = {} } = reading;
    const parts = [phase];
    const bar = total > 0 && width !== undefined && width >= 70;
    const count = total > 0
      ? `${formatNumber(done)}/${formatNumber(total)} ${unit}`
      : `${formatNumber(done)} ${unit}`;
    parts.push(count);
    const rate = this.rate(now);
    if (rate !== undefined && rate > 0 && 1 / rate <= LONGEST_SECONDS) {
      parts.push(rateText(rate));
    }
    for (const [name, value] of Object.entries(values)) {
      parts.push(`${name} ${formatNumber(value)}`);
    }
    const remaining = this.remaining(now);
    parts.push(
      remaining === undefined
        ? elapsed
        : `${formatWholeSeconds(Math.max(1, Math.ceil(remaining)))} left`,
    );
    const text = parts.join(" · ");
    if (width === undefined) return text;
    if (!bar) return cutText(text, width);
    return `${drawBar(done / total, style)} ${cutText(text, width - BAR_WIDTH - 1)}`;
  }
}

function rateText(rate: number): string {
  return rate < 0.1
    ? `${formatWholeSeconds(Math.round(1 / rate))} each`
    : `${formatNumber(Number(rate.toPrecision(3)))}/s`;
}

function drawBar(fraction: number, style: Style): string {
  const filled = Math.round(Math.min(1, Math.max(0, fraction)) * BAR_WIDTH);
  return style.green("━".repeat(filled)) +
    style.dim(padText("", BAR_WIDTH - filled).replaceAll(" ", "─"));
}

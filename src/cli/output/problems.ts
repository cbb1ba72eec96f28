/**
 * How a user's mistakes are shown: place, message, the line with a caret, and what mends it.
 *
 * @module
 */

import { relative } from "../../base/path.ts";
import type { Problem, SourcePlace } from "../../base/errors.ts";
import { cutText, printable, type Style } from "../../base/terminal_text.ts";

/** The lines that show some problems. */
export function problemLines(
  problems: readonly Problem[],
  style: Style,
  width: number,
  kind: "error" | "warning" = "error",
): string[] {
  const lines: string[] = [];
  for (const { message, place, hint } of problems) {
    const label = kind === "error" ? style.red("error") : style.yellow("warning");
    const [first, ...rest] = message.split("\n").map(printable);
    lines.push(`${label}: ${style.bold(first!)}`, ...rest.map((line) => `  ${line}`));
    if (place !== undefined) lines.push(...placeLines(place, style, width));
    if (hint !== undefined) lines.push(`  ${style.cyan("→")} ${printable(hint)}`);
  }
  return lines;
}

/** A path as the user would type it here, if it is near. */
export function shownPath(path: string): string {
  const near = relative(Deno.cwd(), path);
  return near === "" || near.startsWith("..") ? path : near;
}

function placeLines(place: SourcePlace, style: Style, width: number): string[] {
  const { file, line, column, text } = place;
  const at = [shownPath(file), line, line === undefined ? undefined : column]
    .filter((part) => part !== undefined).join(":");
  const lines = [`  at ${style.cyan(at)}`];
  if (line === undefined || text === undefined) return lines;
  const margin = String(line).length;
  const gutter = (label: string) => style.dim(`  ${label.padStart(margin)} | `);
  const start = Math.max(0, (column ?? 1) - 1);
  const { shown, offset } = excerpt(printable(text), start, width - margin - 6);
  lines.push(gutter(String(line)) + shown);
  if (column === undefined) return lines;
  // Tabs stay tabs, so that the caret stands under its column whatever they mean.
  const indent = shown.slice(0, offset).replace(/[^\t]/g, " ");
  const length = Math.max(1, Math.min(place.length ?? 1, shown.length - offset));
  lines.push(gutter("") + indent + style.red("^".repeat(length)));
  return lines;
}

/** The part of a long line that shows a column. */
function excerpt(text: string, start: number, width: number): { shown: string; offset: number } {
  if (text.length <= width || start < width * 0.6) {
    return { shown: cutText(text, width), offset: start };
  }
  const from = start - Math.floor(width / 3);
  return { shown: cutText(`…${text.slice(from + 1)}`, width), offset: start - from };
}

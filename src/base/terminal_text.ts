/**
 * Text on a terminal: how wide it is, cutting, padding, colour and tables.
 *
 * @module
 */

// deno-lint-ignore no-control-regex -- escape sequences are what it looks for
const ESCAPES = /\x1b\[[0-9;]*m/g;
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const NARROW = /^[\x20-\x7e]*$/;

/** How many columns a text takes: East Asian characters and emoji two, combining marks none. */
export function textWidth(text: string): number {
  const plain = text.replace(ESCAPES, "");
  if (NARROW.test(plain)) return plain.length;
  let width = 0;
  for (const character of plain) {
    if (/\p{M}|\p{Cf}/u.test(character)) continue;
    width += WIDE.test(character) ? 2 : 1;
  }
  return width;
}

/** Cuts a text without escape sequences to a width; what is missing is shown as `…`. */
export function cutText(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let kept = "";
  let used = 1;
  for (const character of text) {
    used += textWidth(character);
    if (used > width) break;
    kept += character;
  }
  return width > 0 ? `${kept}…` : "";
}

/** Fills a text with spaces up to a width. */
export function padText(text: string, width: number, align: "left" | "right" = "left"): string {
  const space = " ".repeat(Math.max(0, width - textWidth(text)));
  return align === "left" ? text + space : space + text;
}

/** A text with its control characters made visible, so that data cannot steer the terminal. */
export function printable(text: string): string {
  // deno-lint-ignore no-control-regex -- control characters are what it looks for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => {
    if (character === "\t") return character;
    const code = character.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : "�";
  });
}

/** Colours, or the same functions doing nothing. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

/** The style for a stream with or without colour. */
export function makeStyle(color: boolean): Style {
  const code = (open: number, close: number) =>
    color
      ? (text: string) => text === "" ? "" : `\x1b[${open}m${text}\x1b[${close}m`
      : (text: string) => text;
  return {
    bold: code(1, 22),
    dim: code(2, 22),
    red: code(31, 39),
    green: code(32, 39),
    yellow: code(33, 39),
    cyan: code(36, 39),
  };
}

/** A column of a {@linkcode textTable}. */
export interface TableColumn {
  readonly title: string;
  readonly align?: "left" | "right";
}

/** Lines of a table: titles, then rows; columns are two spaces apart. */
export function textTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  style: Style = makeStyle(false),
): string[] {
  const widths = columns.map(({ title }, index) =>
    Math.max(textWidth(title), ...rows.map((row) => textWidth(row[index] ?? "")))
  );
  const line = (cells: readonly string[]) =>
    columns.map(({ align }, index) => padText(cells[index] ?? "", widths[index]!, align))
      .join("  ").trimEnd();
  return [style.bold(line(columns.map(({ title }) => title))), ...rows.map(line)];
}

/** Breaks a text into lines of at most a width, between words; a longer word gets a line of its own. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter((each) => each !== "")) {
    if (line !== "" && textWidth(line) + 1 + textWidth(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return line === "" ? lines : [...lines, line];
}

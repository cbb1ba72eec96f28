/**
 * Data sets of rows of numbers.
 *
 * @module
 */

import { didYouMean } from "../../base/suggest.ts";
import { counted, fieldError, fileError } from "../problems.ts";
import { fileSize } from "../random_access.ts";
import type { SourceRecipeOf } from "../recipe_types.ts";
import type { RawValue, Source, SourceShape } from "../source.ts";
import { isNumber, labelsOfTexts, type LabelText } from "./class_names.ts";
import { type CsvRow, csvRows } from "./csv_rows.ts";
import type { Format } from "./format.ts";

type Recipe = SourceRecipeOf<"csv">;

/** Rows of numbers. Headers are checked when the entry is described, rows when it is opened. */
export const csvFormat: Format<"csv"> = {
  async describe(spec, context) {
    const path = await context.locate(spec.csv, ["csv"]);
    fileSize(path);
    const delimiter = spec.delimiter ?? (/\.tsv$/i.test(path) ? "\t" : ",");
    const [first] = csvRows(path, delimiter).take(1);
    if (first === undefined) throw fieldError(["csv"], `File "${path}" is empty`);
    const header = spec.header ?? first.cells.some((cell) => numberOf(cell) === undefined);
    const find = (column: string | number, at: (string | number)[]) =>
      findColumn(column, first, header, path, at);
    const labels = spec.labels === undefined ? null : find(spec.labels, ["labels"]);
    const target = spec.target?.map((column, index) => find(column, ["target", index])) ?? null;
    const rest = first.cells.map((_, index) => index)
      .filter((index) => index !== labels && !target?.includes(index));
    const columns = spec.columns?.map((column, index) => find(column, ["columns", index])) ?? rest;
    if (columns.length === 0) {
      throw fieldError(["csv"], `File "${path}" has no column for the model`);
    }
    const source: Recipe = {
      format: "csv",
      input: spec.input ?? null,
      file: await context.digest(path),
      header,
      delimiter,
      columns,
      labels,
      target,
    };
    return { source, shape: shapeOf(source, path) };
  },

  open(recipe, resolve, { classes }): Source {
    const path = resolve(recipe.file);
    const table = readTable(path, recipe);
    const { labels, classes: names } = labelsOfTexts(table.labels, classes);
    const width = recipe.columns.length;
    const targetWidth = recipe.target?.length ?? 0;
    const rows = (data: Float64Array, size: number, items: ArrayLike<number>): RawValue[] =>
      Array.from(items, (item) => ({ data, offset: item * size }));
    return {
      ...shapeOf(recipe, path),
      length: table.lines.length,
      ...(recipe.labels === null ? {} : { labels }),
      ...(names === undefined ? {} : { classes: names }),
      nameOf: (item) => `line ${table.lines[item]} of "${path}"`,
      read: (items) => ({
        arrays: [rows(table.values, width, items)],
        ...(recipe.target === null ? {} : { targets: rows(table.targets, targetWidth, items) }),
      }),
    };
  },
};

function shapeOf(recipe: Recipe, path: string): SourceShape {
  const array = (width: number) => ({
    input: recipe.input ?? undefined,
    type: "float64" as const,
    picture: undefined,
    dims: [width],
  });
  return {
    origin: path,
    arrays: [array(recipe.columns.length)],
    ...(recipe.target === null ? {} : { target: array(recipe.target.length) }),
  };
}

function findColumn(
  column: string | number,
  first: CsvRow,
  header: boolean,
  path: string,
  at: readonly (string | number)[],
): number {
  const count = first.cells.length;
  if (typeof column === "number") {
    const index = column < 0 ? count + column : column;
    if (index >= 0 && index < count) return index;
    throw fieldError(
      at,
      `"${path}" has no column ${column}: it has ${counted(count, "column")}, counted from 0`,
    );
  }
  if (!header) {
    throw fieldError(
      at,
      `"${path}" has no header, so it has no column "${column}"`,
      "Give the column's number, from 0, or write header: true",
    );
  }
  const index = first.cells.indexOf(column);
  if (index < 0) {
    throw fieldError(
      at,
      `"${path}" has no column "${column}"`,
      didYouMean(column, first.cells) ?? `It has ${first.cells.slice(0, 20).join(", ")}`,
    );
  }
  if (first.cells.indexOf(column, index + 1) >= 0) {
    throw fieldError(
      at,
      `"${path}" has several columns "${column}"`,
      "Give the column's number, from 0",
    );
  }
  return index;
}

interface Table {
  /** Line of each item. */
  readonly lines: readonly number[];
  readonly values: Float64Array;
  readonly targets: Float64Array;
  readonly labels: readonly LabelText[];
}

function readTable(path: string, recipe: Recipe): Table {
  const values = new Floats();
  const targets = new Floats();
  const labels: LabelText[] = [];
  const lines: number[] = [];
  let names: readonly string[] | undefined;
  let width: number | undefined;
  for (const { line, cells } of csvRows(path, recipe.delimiter)) {
    width ??= cells.length;
    if (cells.length !== width) {
      throw fileError(
        `Line ${line} of "${path}" has ${
          counted(cells.length, "cell")
        }, expected ${width} as in the first line`,
        "If cells contain the delimiter, quote them, or choose another delimiter",
      );
    }
    if (recipe.header && names === undefined) {
      names = cells;
      continue;
    }
    const read = (column: number) => {
      const value = numberOf(cells[column]!);
      if (value !== undefined) return value;
      const title = names === undefined ? `column ${column}` : `column "${names[column]}"`;
      throw fileError(
        `Line ${line} of "${path}" has "${cells[column]}" in ${title}, expected a number`,
        "Correct the line, or choose the columns that feed the model with columns",
      );
    };
    for (const column of recipe.columns) values.push(read(column));
    for (const column of recipe.target ?? []) targets.push(read(column));
    if (recipe.labels !== null) {
      labels.push({
        text: labelText(cells[recipe.labels]!),
        place: () => `Line ${line} of "${path}"`,
      });
    }
    lines.push(line);
  }
  return { lines, values: values.all(), targets: targets.all(), labels };
}

/** Numbers whose count is not known beforehand. */
class Floats {
  #data = new Float64Array(1024);
  #length = 0;

  push(value: number): void {
    if (this.#length === this.#data.length) {
      const larger = new Float64Array(2 * this.#length);
      larger.set(this.#data);
      this.#data = larger;
    }
    this.#data[this.#length++] = value;
  }

  all(): Float64Array {
    return this.#data.slice(0, this.#length);
  }
}

/** A cell's number, or `undefined` if it holds none: empty cells and NaN are none. */
function numberOf(cell: string): number | undefined {
  const value = Number(cell);
  if (Number.isFinite(value) && cell !== "" && !/^0[xob]/i.test(cell)) return value;
  return undefined;
}

/** Class numbers that were written as floating point numbers, such as `3.0`, are class numbers. */
function labelText(cell: string): string {
  const value = numberOf(cell);
  if (value === undefined) return cell;
  const whole = String(value);
  return isNumber(whole) ? whole : cell;
}

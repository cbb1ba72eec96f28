/**
 * Which pictures an image folder has, and which class each is of.
 *
 * @module
 */

import { basename, join } from "../../base/path.ts";
import { didYouMean } from "../../base/suggest.ts";
import { fieldError, fileError } from "../problems.ts";
import { similarHint } from "../similar.ts";
import { isNumber, labelsOfTexts, type LabelText } from "./class_names.ts";
import { csvRows } from "./csv_rows.ts";

/** Pictures and their labels. */
export interface ImageList {
  /** Absolute paths. */
  readonly files: readonly string[];
  readonly labels: Int32Array | undefined;
  readonly classes: readonly string[] | undefined;
}

/** A CSV file of labels. */
export interface LabelTable {
  readonly csv: string;
  /** The column of file names, relative to the folder. */
  readonly file: string;
  readonly label: string;
}

const PICTURE = /\.(?:jpe?g|jfif|png)$/i;
const OTHER_PICTURE = /\.(?:webp|bmp|gif|tiff?|avif|heic|jp2|ppm|pgm)$/i;

/**
 * Lists a folder's pictures: those of a table, those of class folders, or those in the folder itself.
 *
 * Class folders are taken in turn, one picture of each, so that the first items are of all classes.
 *
 * @param table The table of labels; `false` for no labels; `undefined` takes folders as classes if there are any.
 * @throws {UserError} If there is no picture, a listed one is missing, or a folder is no class.
 */
export function listImages(
  folder: string,
  table: LabelTable | false | undefined,
  classes: readonly string[] | null,
): ImageList {
  const content = list(folder);
  if (typeof table === "object") return listedImages(folder, table, classes);
  const direct = picturesOf(folder, content);
  const inside = content.filter((entry) => isFolder(folder, entry))
    .map((entry) => ({ name: entry.name, files: picturesIn(join(folder, entry.name)) }));
  const filled = inside.filter(({ files }) => files.length > 0);
  if (table === false || filled.length === 0) {
    const files = [...direct, ...filled.flatMap(({ files }) => files)];
    if (files.length === 0) throw nothing(folder, content);
    return { files, labels: undefined, classes: classes ?? undefined };
  }
  if (direct.length > 0) {
    throw fieldError(
      ["images"],
      `"${folder}" has pictures beside class folders, such as "${basename(direct[0]!)}"`,
      "Move them into class folders, give their labels in a CSV file with labels, or write labels: false",
    );
  }
  return classFolders(folder, classes === null ? filled : inside, classes);
}

function classFolders(
  folder: string,
  found: readonly { readonly name: string; readonly files: readonly string[] }[],
  classes: readonly string[] | null,
): ImageList {
  const sorted = [...found].sort((a, b) => a.name < b.name ? -1 : 1);
  // Sorted as text, 10 comes before 2; folders named by numbers mean the numbers.
  const numbered = classes === null && sorted.every(({ name }) => isNumber(name));
  const labelOf = (name: string, position: number): number => {
    if (numbered) return Number(name);
    if (classes === null) return position;
    const label = classes.indexOf(name);
    if (label >= 0) return label;
    throw fieldError(
      ["classes"],
      `"${folder}" has a folder "${name}", which is not in classes`,
      didYouMean(name, classes),
    );
  };
  const labelled = sorted.map(({ name, files }, position) => ({
    files,
    label: labelOf(name, position),
  }));
  labelled.sort((a, b) => a.label - b.label);
  const files: string[] = [];
  const labels: number[] = [];
  const longest = Math.max(...labelled.map(({ files }) => files.length));
  for (let turn = 0; turn < longest; turn++) {
    for (const { files: own, label } of labelled) {
      const file = own[turn];
      if (file === undefined) continue;
      files.push(file);
      labels.push(label);
    }
  }
  return {
    files,
    labels: Int32Array.from(labels),
    classes: classes ?? (numbered ? undefined : sorted.map(({ name }) => name)),
  };
}

function listedImages(
  folder: string,
  table: LabelTable,
  classes: readonly string[] | null,
): ImageList {
  const files: string[] = [];
  const texts: LabelText[] = [];
  const missing: string[] = [];
  let columns:
    | { readonly file: number; readonly label: number; readonly width: number }
    | undefined;
  for (const { line, cells } of csvRows(table.csv, ",")) {
    if (columns === undefined) {
      columns = {
        file: columnOf(table, "file", cells),
        label: columnOf(table, "label", cells),
        width: cells.length,
      };
      continue;
    }
    if (cells.length !== columns.width) {
      throw fileError(
        `Line ${line} of "${table.csv}" has ${cells.length} cells, expected ${columns.width} as in the first line`,
      );
    }
    const place = () => `Line ${line} of "${table.csv}"`;
    const file = join(folder, cells[columns.file]!);
    if (!isFile(file)) missing.push(`${place()} names "${cells[columns.file]}"`);
    files.push(file);
    texts.push({ text: cells[columns.label]!, place });
  }
  if (missing.length > 0) {
    throw fieldError(
      ["images"],
      `${missing[0]}, which is not in "${folder}"${
        missing.length > 1 ? ` (and ${missing.length - 1} more)` : ""
      }`,
    );
  }
  if (files.length === 0) throw fieldError(["labels"], `File "${table.csv}" lists no picture`);
  const { labels, classes: names } = labelsOfTexts(texts, classes);
  return { files, labels, classes: names };
}

function columnOf(table: LabelTable, which: "file" | "label", header: readonly string[]): number {
  const name = table[which];
  const index = header.indexOf(name);
  if (index >= 0) return index;
  throw fieldError(
    ["labels"],
    `File "${table.csv}" has no column "${name}": its first line is ${
      header.slice(0, 8).join(", ")
    }`,
    `Name the column with labels: { csv: …, ${which}: … }`,
  );
}

function list(folder: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(folder)].filter((entry) => !entry.name.startsWith("."));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      const hint = similarHint(folder, "folder");
      throw fieldError(["images"], `Folder "${folder}" does not exist`, hint);
    }
    if (error instanceof Deno.errors.NotADirectory) {
      throw fieldError(["images"], `"${folder}" is a file, expected a folder of pictures`);
    }
    if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
      throw fieldError(["images"], `Folder "${folder}" cannot be read: permission denied`);
    }
    throw error;
  }
}

function picturesIn(folder: string): string[] {
  return picturesOf(folder, list(folder));
}

function picturesOf(folder: string, content: readonly Deno.DirEntry[]): string[] {
  return content.filter((entry) => PICTURE.test(entry.name) && !isFolder(folder, entry))
    .map((entry) => join(folder, entry.name)).sort((a, b) => a < b ? -1 : 1);
}

function isFolder(parent: string, entry: Deno.DirEntry): boolean {
  return entry.isSymlink ? Deno.statSync(join(parent, entry.name)).isDirectory : entry.isDirectory;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function nothing(folder: string, content: readonly Deno.DirEntry[]): Error {
  const other = content.find((entry) => OTHER_PICTURE.test(entry.name));
  return fieldError(
    ["images"],
    `Folder "${folder}" has no JPEG or PNG file`,
    other === undefined
      ? "images takes a folder of pictures, or of one folder per class"
      : `"${other.name}" is of another format: convert it to PNG`,
  );
}

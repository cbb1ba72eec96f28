/**
 * The directory of a zip archive, as far as NumPy archives need it: stored and deflated entries, zip64.
 *
 * @module
 */

import { fileError } from "../problems.ts";
import { fileSize, readRange } from "../random_access.ts";

/** One file of an archive. */
export interface ZipEntry {
  readonly name: string;
  readonly method: "stored" | "deflated";
  /** Bytes in the archive. */
  readonly packed: number;
  readonly size: number;
  readonly crc: number;
  /** Where its local header starts. */
  readonly header: number;
}

const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
/** The end record and the longest comment behind it. */
const MOST_TAIL = 22 + 65535 + 20;
/** A directory for arrays is short; a huge one is a trap. */
const MOST_DIRECTORY = 16 << 20;
/** Deflate cannot pack more bytes into one. */
const MOST_RATIO = 1032;

/**
 * The files of an archive.
 *
 * @throws {UserError} If it is not a zip archive, is damaged, or claims sizes that it cannot hold.
 */
export function readZipDirectory(path: string): ZipEntry[] {
  const size = fileSize(path);
  const tailStart = Math.max(0, size - MOST_TAIL);
  const tail = readRange(path, tailStart, size - tailStart);
  const view = new DataView(tail.buffer);
  let end = tail.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== END) end--;
  if (end < 0) {
    throw fileError(
      `File "${path}" is not a NumPy archive (.npz): it has no zip directory at its end`,
      "If it was a zip archive once, it is truncated: get the file again",
    );
  }
  let count = view.getUint16(end + 10, true);
  let length = view.getUint32(end + 12, true);
  let start = view.getUint32(end + 16, true);
  if (count === 0xffff || length === 0xffffffff || start === 0xffffffff) {
    if (end < 20 || view.getUint32(end - 20, true) !== LOCATOR64) throw damaged(path);
    const record = new DataView(
      readInside(path, size, Number(view.getBigUint64(end - 12, true)), 56).buffer,
    );
    if (record.getUint32(0, true) !== END64) throw damaged(path);
    count = Number(record.getBigUint64(32, true));
    length = Number(record.getBigUint64(40, true));
    start = Number(record.getBigUint64(48, true));
  }
  if (length > MOST_DIRECTORY) throw damaged(path);
  return parseDirectory(path, size, readInside(path, size, start, length), count);
}

function parseDirectory(
  path: string,
  size: number,
  bytes: Uint8Array<ArrayBuffer>,
  count: number,
): ZipEntry[] {
  const view = new DataView(bytes.buffer);
  const entries: ZipEntry[] = [];
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== CENTRAL) throw damaged(path);
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const next = at + 46 + nameLength + extraLength + view.getUint16(at + 32, true);
    if (next > bytes.length) throw damaged(path);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const method = view.getUint16(at + 10, true);
    if ((view.getUint16(at + 8, true) & 1) !== 0) {
      throw fileError(`Entry "${name}" of "${path}" is encrypted`);
    }
    if (method !== 0 && method !== 8) {
      throw fileError(
        `Entry "${name}" of "${path}" is packed with method ${method}, expected stored or deflated`,
        "Write the archive with numpy.savez or numpy.savez_compressed",
      );
    }
    const [unpacked, packed, header] = wideFields(view, at, nameLength, extraLength);
    const entry: ZipEntry = {
      name,
      method: method === 0 ? "stored" : "deflated",
      packed,
      size: unpacked,
      crc: view.getUint32(at + 16, true),
      header,
    };
    checkEntry(path, size, entry);
    entries.push(entry);
    at = next;
  }
  return entries;
}

/** Size, packed size and place of an entry; those that need 64 bits are in an extra field, in this order. */
function wideFields(
  view: DataView,
  at: number,
  nameLength: number,
  extraLength: number,
): [number, number, number] {
  const narrow: [number, number, number] = [
    view.getUint32(at + 24, true),
    view.getUint32(at + 20, true),
    view.getUint32(at + 42, true),
  ];
  const end = at + 46 + nameLength + extraLength;
  for (let extra = at + 46 + nameLength; extra + 4 <= end;) {
    const length = view.getUint16(extra + 2, true);
    if (view.getUint16(extra, true) === 1) {
      let value = extra + 4;
      for (let field = 0; field < 3; field++) {
        if (narrow[field] !== 0xffffffff || value + 8 > extra + 4 + length || value + 8 > end) {
          continue;
        }
        narrow[field] = Number(view.getBigUint64(value, true));
        value += 8;
      }
    }
    extra += 4 + length;
  }
  return narrow;
}

function checkEntry(path: string, size: number, entry: ZipEntry): void {
  const possible = entry.method === "stored"
    ? entry.size === entry.packed
    : entry.size <= MOST_RATIO * entry.packed;
  if (!possible || entry.header + entry.packed > size) {
    throw fileError(
      `Entry "${entry.name}" of "${path}" claims ${entry.size} bytes, which ${entry.packed} packed bytes in a file of ` +
        `${size} cannot hold`,
      "Get the file again",
    );
  }
}

/** Where an entry's bytes start: behind its local header, whose length the directory does not tell. */
export function entryOffset(path: string, entry: ZipEntry): number {
  const header = new DataView(readRange(path, entry.header, 30).buffer);
  if (header.getUint32(0, true) !== LOCAL) throw damaged(path);
  return entry.header + 30 + header.getUint16(26, true) + header.getUint16(28, true);
}

function readInside(
  path: string,
  size: number,
  offset: number,
  length: number,
): Uint8Array<ArrayBuffer> {
  if (offset + length > size) throw damaged(path);
  return readRange(path, offset, length);
}

function damaged(path: string): Error {
  return fileError(`File "${path}" has a damaged zip directory`, "Get the file again");
}

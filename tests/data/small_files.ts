/**
 * A small data set in each format of one file, to be damaged.
 *
 * @module
 */

import type { DatasetSpec } from "../../src/data/spec.ts";
import { decodeBase64 } from "./base64.ts";
import { NUMPY_FILES } from "./numpy_files.ts";
import { idxBytes } from "./opening.ts";

/** Each with the entry that reads it. */
export const SMALL_FILES: readonly [
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
  spec: DatasetSpec,
][] = [
  ["x", idxBytes([3, 4, 4], Array(48).fill(7)), { idx: "x" }],
  ["x.npy", decodeBase64(NUMPY_FILES.fortranFloat32), { npy: "x.npy" }],
  ["s.npz", decodeBase64(NUMPY_FILES.stored), { npz: "s.npz", arrays: "x", labels: "y" }],
  ["d.npz", decodeBase64(NUMPY_FILES.deflated), { npz: "d.npz", arrays: "x", labels: "y" }],
  ["x.csv", new TextEncoder().encode('a,"b",label\n1,2,0\n3,"4",1\n'), {
    csv: "x.csv",
    labels: "label",
  }],
];

/**
 * The file of a stage's result: what it says, the digest of that, and, where it was signed, by whom.
 *
 * Such files also come from elsewhere, so everything in them is looked at before it is believed.
 *
 * @module
 */

import { canonicalJson, type JsonValue } from "../base/canonical_json.ts";
import type { Signature } from "../base/signature.ts";
import type { StoredAction } from "./actions.ts";
import { type Digest, digestOf, isDigest } from "./digest.ts";
import { type Key, keyOfManifest } from "./key.ts";

/** The file's form. */
interface ResultFile {
  readonly version: 1;
  /** Of the canonical JSON of `action`. */
  readonly checksum: Digest;
  readonly action: StoredAction;
  readonly signature?: Signature;
}

/** The text of the file of a result. */
export function resultFile(
  action: StoredAction,
  sign?: (content: Uint8Array) => Signature,
): string {
  const checksum = checksumOf(action);
  const signature = sign?.(signedBytes(checksum));
  const file: ResultFile = {
    version: 1,
    checksum,
    action,
    ...(signature !== undefined && { signature }),
  };
  return JSON.stringify(file, null, 1);
}

/** What is signed of a result: nothing else that the same key signs has this form. */
export function signedBytes(checksum: Digest): Uint8Array {
  return new TextEncoder().encode(`bitbound result 1\n${checksum}\n`);
}

/** Reads the file of a key's result; `undefined` if it is damaged, or another key's. */
export function readResultFile(
  text: string,
  key: Key,
): Pick<ResultFile, "action" | "checksum" | "signature"> | undefined {
  try {
    const { version, checksum, action, signature } = JSON.parse(text) as ResultFile;
    const whole = version === 1 && isAction(action) && action.key === key &&
      checksum === checksumOf(action) && keyOfManifest(action.manifest) === key;
    if (!whole) return undefined;
    const isSigned = typeof signature?.key === "string" && typeof signature.value === "string";
    return { action, checksum, ...(isSigned && { signature }) };
  } catch {
    return undefined;
  }
}

function checksumOf(action: StoredAction): Digest {
  return digestOf(canonicalJson(action as unknown as JsonValue));
}

/** The manifest need not be looked at: only one text hashes to the key. */
function isAction(value: unknown): value is StoredAction {
  if (!isMap(value)) return false;
  const { outputs, metrics, warnings, seconds, run, finished, manifest } = value;
  return isMap(manifest) && isMap(outputs) && Object.values(outputs).every(isOutput) &&
    isMap(metrics) && Object.values(metrics).every((metric) => typeof metric === "number") &&
    Array.isArray(warnings) && warnings.every((each) => typeof each === "string") &&
    typeof seconds === "number" && typeof run === "string" && typeof finished === "string";
}

function isOutput(value: unknown): boolean {
  return isMap(value) && typeof value.kind === "string" && typeof value.digest === "string" &&
    isDigest(value.digest) && Number.isSafeInteger(value.size) && (value.size as number) >= 0;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

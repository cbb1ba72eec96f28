/**
 * Checks the provenance of exported files: that they are the files it speaks of, that nothing in it contradicts itself, and
 * who signed it.
 *
 * @module
 */

import type { JsonValue } from "../../base/canonical_json.ts";
import { UserError } from "../../base/errors.ts";
import { dirname, join } from "../../base/path.ts";
import type { PublicKey } from "../../base/signature.ts";
import { digestFile, isDigest, shortDigest } from "../../store/digest.ts";
import { keyOfManifest } from "../../store/key.ts";
import { isObject } from "../paths.ts";
import { type Envelope, PAYLOAD_TYPE, unseal } from "./envelope.ts";
import { BUILD_TYPE, PREDICATE_TYPE, type Statement, STATEMENT_TYPE } from "./statement.ts";

/** What was found. */
export interface ProvenanceReport {
  readonly statement: Statement;
  /** Whose signatures of it are right. */
  readonly signers: readonly PublicKey[];
  /** What is wrong, one sentence each. */
  readonly faults: readonly string[];
}

/**
 * Reads a statement and compares it with the files beside it.
 *
 * @param trusted If there are any, one of these keys has to have signed it.
 * @throws {UserError} If it is no statement of this program.
 */
export async function checkProvenance(
  path: string,
  trusted: readonly PublicKey[],
): Promise<ProvenanceReport> {
  const { text, signers, wrong } = open(await readText(path), path);
  const statement = parse(text, path);
  const faults = wrong.map((key) => `The signature of ${key.slice(0, 60)} is not of this text`);
  if (trusted.length > 0 && !signers.some((key) => trusted.includes(key))) {
    faults.push(
      signers.length === 0
        ? "It is not signed"
        : `It is signed by ${signers.join(", ")}, which is none of the given keys`,
    );
  }
  faults.push(...await subjectFaults(statement, dirname(path)), ...chainFaults(statement));
  return { statement, signers, faults };
}

async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new UserError({
      message: `Provenance "${path}" cannot be read: ${(error as Error).message}`,
      hint: "Name the file that ends in .provenance.json, beside the exported model",
    }, { cause: error });
  }
}

/** The statement's text, out of its envelope if it is in one. */
function open(text: string, path: string) {
  const value = parseJson(text, path);
  if (!isObject(value) || typeof value.payload !== "string") {
    return { text, signers: [], wrong: [] };
  }
  const { payloadType, signatures } = value;
  const isEnvelope = payloadType === PAYLOAD_TYPE && Array.isArray(signatures) &&
    signatures.every((each: JsonValue) =>
      isObject(each) && typeof each.keyid === "string" && typeof each.sig === "string"
    );
  if (!isEnvelope) throw notProvenance(path, "its envelope has another form");
  try {
    return unseal(value as unknown as Envelope);
  } catch {
    throw notProvenance(path, "its payload is damaged");
  }
}

function parse(text: string, path: string): Statement {
  const value = parseJson(text, path);
  if (!isStatement(value)) throw notProvenance(path, "it has not the form of one");
  return value as unknown as Statement;
}

function parseJson(text: string, path: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    throw notProvenance(path, (error as Error).message);
  }
}

function notProvenance(path: string, why: string): UserError {
  return new UserError({
    message: `"${path}" is no provenance of Bitbound: ${why}`,
    hint: "Name the file that ends in .provenance.json, beside the exported model",
  });
}

function isStatement(value: JsonValue): boolean {
  if (!isObject(value) || value._type !== STATEMENT_TYPE) return false;
  const { predicate, predicateType, subject } = value;
  if (predicateType !== PREDICATE_TYPE || !isObject(predicate)) return false;
  const { buildDefinition, runDetails, bitbound_stages: stages } = predicate;
  return areDescriptors(subject) && isObject(buildDefinition) &&
    buildDefinition.buildType === BUILD_TYPE && isObject(buildDefinition.externalParameters) &&
    areDescriptors(buildDefinition.resolvedDependencies) && isObject(runDetails) &&
    isObject(runDetails.builder) && Array.isArray(stages) && stages.every(isStage);
}

function areDescriptors(value: JsonValue | undefined): boolean {
  return Array.isArray(value) &&
    value.every((each: JsonValue) =>
      isObject(each) && typeof each.name === "string" && isObject(each.digest) &&
      Object.values(each.digest).every((digest) => typeof digest === "string" && isDigest(digest))
    );
}

function isStage(value: JsonValue): boolean {
  if (!isObject(value) || typeof value.id !== "string" || typeof value.key !== "string") {
    return false;
  }
  const { manifest, outputs, metrics, expects } = value;
  return isObject(manifest) && Array.isArray(manifest.inputs) &&
    manifest.inputs.every((each: JsonValue) =>
      isObject(each) && typeof each.port === "string" && typeof each.digest === "string"
    ) && typeof manifest.stage === "string" && isObject(outputs) &&
    isObject(metrics) && Object.values(metrics).every((each) => typeof each === "number") &&
    Array.isArray(expects) &&
    expects.every((each: JsonValue) =>
      isObject(each) && typeof each.metric === "string" && typeof each.condition === "string"
    );
}

async function subjectFaults({ subject }: Statement, folder: string): Promise<string[]> {
  const faults: string[] = [];
  for (const { name, digest } of subject) {
    try {
      const path = join(folder, name);
      // A device could be read for ever.
      if (!(await Deno.stat(path)).isFile) throw new Error("it is not a file");
      const actual = (await digestFile(path)).digest;
      if (actual === digest.sha256) continue;
      faults.push(
        `"${name}" is another file: it has ${shortDigest(actual)}, not ${
          shortDigest(digest.sha256 ?? "nothing")
        }`,
      );
    } catch (error) {
      faults.push(`"${name}" cannot be read: ${(error as Error).message}`);
    }
  }
  return faults;
}

/** Whether each stage is what its key says, and takes what inputs or other stages gave. */
function chainFaults({ subject, predicate }: Statement): string[] {
  const { buildDefinition, bitbound_stages: stages } = predicate;
  const known = new Set<string>(
    buildDefinition.resolvedDependencies.flatMap(({ digest }) => Object.values(digest)),
  );
  const faults: string[] = [];
  for (const { id, key, manifest, outputs } of stages) {
    if (safeKey(manifest) !== key) faults.push(`Stage "${id}" has another key than its manifest`);
    for (const { port, digest } of manifest.inputs) {
      if (known.has(digest)) continue;
      faults.push(`Stage "${id}" takes "${port}" from nowhere: ${digest.slice(0, 12)}`);
    }
    for (const digest of Object.values(outputs)) known.add(digest);
  }
  const exporter = stages.find(({ id }) => id === buildDefinition.externalParameters.stage);
  const made = new Set(Object.values(exporter?.outputs ?? {}));
  for (const { name, digest } of subject) {
    if (!made.has(digest.sha256 ?? "")) faults.push(`"${name}" is not what the export made`);
  }
  if (subject.length === 0) faults.push("It speaks of no file");
  return faults;
}

function safeKey(manifest: Statement["predicate"]["bitbound_stages"][number]["manifest"]): string {
  try {
    return keyOfManifest(manifest);
  } catch {
    return "";
  }
}

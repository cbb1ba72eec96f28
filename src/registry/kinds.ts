/**
 * The form of each kind of artifact as bytes. Readers and writers are loaded when they are needed.
 *
 * @module
 */

import { importLater } from "../base/import_later.ts";
import { canonicalJson, type JsonValue } from "../base/canonical_json.ts";
import { UserError } from "../base/errors.ts";
import { type Digest, digestOf, shortDigest } from "../store/digest.ts";
import type { Artifact, ArtifactKind, ArtifactValues } from "./artifact.ts";

/** An artifact as data: what another thread needs to open it. */
export interface ArtifactRecord<K extends ArtifactKind = ArtifactKind> {
  readonly kind: K;
  readonly digest: Digest;
  readonly origin: string;
  readonly path: string;
  /** For a model with tensors in files beside it: the digest of each, by the name that the model uses. */
  readonly external?: Readonly<Record<string, Digest>>;
}

/** Finds the file with a digest, for artifacts that refer to files. */
export type ResolveFile = (digest: Digest) => string;

/** How one kind is written and read. */
interface Codec<K extends ArtifactKind> {
  encode(value: ArtifactValues[K]): Uint8Array | Promise<Uint8Array>;
  decode(
    bytes: Uint8Array,
    record: ArtifactRecord<K>,
    resolve: ResolveFile,
  ): ArtifactValues[K] | Promise<ArtifactValues[K]>;
}

const modelCodec: Codec<"model"> & Codec<"quantized-model"> = {
  async encode(value) {
    const { encodeModel } = await importLater<typeof import("../onnx/write.ts")>(
      import.meta.resolve("../onnx/write.ts"),
    );
    return encodeModel(value);
  },
  async decode(bytes, record: ArtifactRecord) {
    const { decodeModel } = await importLater<typeof import("../onnx/read.ts")>(
      import.meta.resolve("../onnx/read.ts"),
    );
    const external = await readExternal(record);
    return decodeModel(bytes, {
      name: `"${record.path}"`,
      ...(external && { external: (location: string) => external.get(location)! }),
    });
  },
};

const CODECS: { readonly [K in ArtifactKind]: Codec<K> } = {
  "model": modelCodec,
  "quantized-model": modelCodec,
  "dataset": {
    encode() {
      throw new TypeError(
        "A data set has to be returned as the bytes of its recipe, from encodeRecipe",
      );
    },
    async decode(bytes, _record, resolve) {
      const { decodeRecipe, openDataset } = await importLater<typeof import("../data/recipe.ts")>(
        import.meta.resolve("../data/recipe.ts"),
      );
      return await openDataset(decodeRecipe(bytes), resolve);
    },
  },
  "ranges": jsonCodec(),
  "evaluation": jsonCodec(),
  "sensitivity": jsonCodec(),
  "assignment": jsonCodec(),
  "latency": jsonCodec(),
  "json": jsonCodec(),
  "file": { encode: (value) => value, decode: (bytes) => bytes },
};

type JsonKind = "ranges" | "evaluation" | "sensitivity" | "assignment" | "latency" | "json";

function jsonCodec<K extends JsonKind>(): Codec<K> {
  return {
    encode: (value) => new TextEncoder().encode(canonicalJson(value as unknown as JsonValue)),
    decode(bytes, record) {
      try {
        return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
      } catch (error) {
        throw new UserError({
          message: `"${record.path}" is not JSON: ${(error as Error).message}`,
        }, { cause: error });
      }
    },
  };
}

/** The bytes of a value; bytes stay as they are. */
export async function encodeArtifact<K extends ArtifactKind>(
  kind: K,
  value: ArtifactValues[K] | Uint8Array,
): Promise<Uint8Array> {
  return value instanceof Uint8Array
    ? value
    : await CODECS[kind].encode(value as ArtifactValues[K]);
}

/** An artifact that reads its file when it is loaded. */
export function openArtifact<K extends ArtifactKind>(
  record: ArtifactRecord<K>,
  resolve: ResolveFile,
): Artifact<K> {
  const { kind, digest, origin, path } = record;
  return {
    kind,
    digest,
    origin,
    path,
    async load() {
      const bytes = await readFile(path, record);
      const actual = record.external === undefined
        ? digestOf(bytes)
        : modelDigest(digestOf(bytes), record.external);
      if (actual !== digest) throw changed(record, path);
      return await CODECS[kind].decode(bytes, record, resolve) as ArtifactValues[K];
    },
  };
}

/** The digest of a model, with the files beside it that hold its tensors. */
export function modelDigest(model: Digest, external: Readonly<Record<string, Digest>>): Digest {
  if (Object.keys(external).length === 0) return model;
  return digestOf(canonicalJson({ model, external }));
}

async function readExternal(
  record: ArtifactRecord,
): Promise<ReadonlyMap<string, Uint8Array> | undefined> {
  if (record.external === undefined) return undefined;
  const { dirname, join } = await import("node:path");
  const files = new Map<string, Uint8Array>();
  for (const [location, digest] of Object.entries(record.external)) {
    const path = join(dirname(record.path), location);
    const bytes = await readFile(path, record);
    if (digestOf(bytes) !== digest) throw changed(record, path);
    files.set(location, bytes);
  }
  return files;
}

async function readFile(path: string, { origin }: ArtifactRecord): Promise<Uint8Array> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UserError({
      message: `File "${path}" of ${origin} is not there any more`,
      hint: "Run again",
    }, { cause: error });
  }
}

function changed({ origin, digest }: ArtifactRecord, path: string): UserError {
  return new UserError({
    message: `File "${path}" of ${origin} is not what it was (${shortDigest(digest)})`,
    hint: "It changed while the pipeline ran, or is damaged: run again",
  });
}

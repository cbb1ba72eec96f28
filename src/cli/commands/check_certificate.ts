/**
 * `bitbound check-certificate FILE`
 *
 * @module
 */

import { dirname, join } from "../../base/path.ts";
import { importLater } from "../../base/import_later.ts";
import { UserError } from "../../base/errors.ts";
import type { Certificate } from "../../checker/certificate.ts";
import { ExitCode } from "../exit_code.ts";
import { shownPath } from "../output/problems.ts";
import type { Streams } from "../output/streams.ts";
import { openNamedStore } from "../store_folder.ts";

/** Its options. */
export interface CheckCertificateOptions {
  readonly file: string;
  readonly original: string | undefined;
  readonly quantized: string | undefined;
  readonly store: string | undefined;
  readonly json: boolean;
}

/** Checks a certificate against the two model files that it names by their digests. */
export async function checkCertificate(
  options: CheckCertificateOptions,
  streams: Streams,
): Promise<ExitCode> {
  const { out, err } = streams;
  const [{ checkCertificate: check }, { readCertificate }, { Refusal }] = await Promise.all([
    importLater<typeof import("../../checker/check.ts")>(
      import.meta.resolve("../../checker/check.ts"),
    ),
    importLater<typeof import("../../checker/certificate.ts")>(
      import.meta.resolve("../../checker/certificate.ts"),
    ),
    importLater<typeof import("../../checker/refusal.ts")>(
      import.meta.resolve("../../checker/refusal.ts"),
    ),
  ]);
  try {
    const text = await readText(options.file);
    const { models } = readCertificate(text);
    const [original, quantized] = [
      await modelBytes(models.original, options.original, "original", options, streams),
      await modelBytes(models.quantized, options.quantized, "quantized", options, streams),
    ];
    let shown = 0;
    const { certificate, parts } = check(text, { original, quantized }, {
      progress(done, total) {
        const percent = Math.floor(100 * done / total);
        if (!err.interactive || percent < shown + 5) return;
        shown = percent;
        err.lines(`${done} of ${total} parts`);
      },
    });
    if (options.json) {
      const document = { version: 1, status: "accepted", parts, certificate: facts(certificate) };
      out.lines(JSON.stringify(document, null, 2));
    } else {
      out.lines(
        `${out.style.green("✓")} ${shownPath(options.file)} is accepted: ${parts} ${
          parts === 1 ? "part" : "parts"
        } bounded anew, for ${ARITHMETIC[certificate.semantics]}`,
        ...facts(certificate).boxes.map(({ name, bound }) => `  ${name}: |f′ − f| ≤ ${bound}`),
      );
    }
    return ExitCode.done;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (options.json) {
      const document = { version: 1, status: "refused", reason: error.message };
      out.lines(JSON.stringify(document, null, 2));
    } else {
      const { red, cyan } = err.style;
      err.lines(
        `${red("✗")} ${shownPath(options.file)} is refused: ${error.message}`,
        ...error.hint === undefined ? [] : [`  ${cyan("→")} ${error.hint}`],
      );
    }
    return ExitCode.failed;
  }
}

const ARITHMETIC: Readonly<Record<Certificate["semantics"], string>> = {
  real: "exact arithmetic",
  float32: "float32 arithmetic in any order",
};

/** What a certificate says, without how it is proven. */
function facts({ models, semantics, boxes }: Certificate) {
  return {
    models,
    semantics,
    boxes: boxes.map(({ name, difference: { lower, upper } }) => ({
      name,
      lower,
      upper,
      bound: upper.reduce((most, value, at) => Math.max(most, value, -lower[at]!), 0),
    })),
  };
}

async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UserError({
      message: `Certificate "${path}" does not exist`,
      hint: "The stage verify makes one, and copies it to a folder with to: FOLDER",
    });
  }
}

/** The model of a digest: as told, else in the certificate's folder, else in the store. */
async function modelBytes(
  digest: string,
  path: string | undefined,
  side: string,
  { file, store: folder }: CheckCertificateOptions,
  streams: Streams,
): Promise<Uint8Array> {
  if (path !== undefined) {
    try {
      return await Deno.readFile(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      throw new UserError(`Model file "${path}" does not exist`);
    }
  }
  const { digestFile } = await importLater<typeof import("../../store/digest.ts")>(
    import.meta.resolve("../../store/digest.ts"),
  );
  for await (const { name } of Deno.readDir(dirname(file))) {
    if (!name.endsWith(".onnx")) continue;
    const beside = join(dirname(file), name);
    if ((await digestFile(beside)).digest === digest) return await Deno.readFile(beside);
  }
  await using store = openNamedStore(folder, streams);
  if (await store.hasBlob(digest)) return await store.readBlob(digest);
  throw new UserError({
    message:
      `The ${side} model of the certificate is neither beside it nor in the store: ${digest}`,
    hint: `Say where it is: --${side} model.onnx`,
  });
}

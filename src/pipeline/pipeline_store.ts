/**
 * The store of a pipeline: what its file says under `store:`, and what the user says instead.
 *
 * @module
 */

import { resolve } from "../base/path.ts";
import { UserError } from "../base/errors.ts";
import { importLater } from "../base/import_later.ts";
import type { SigningKey } from "../base/signature.ts";
import type { RemoteStore } from "../store/remote/remote.ts";
import { openStore, type Store } from "../store/store.ts";
import type { Pipeline } from "./pipeline.ts";

/** Whether a remote store is only read, or also written to. */
export type RemoteMode = "read" | "read-write";

/** What the user says; it goes before what the file says. */
export interface StoreChoice {
  /** The folder of the local store. */
  readonly folder?: string;
  /** The folder if neither the user nor the file names one. */
  readonly usual: () => string;
  /** The address of the remote store; relative ones count from the current folder. `"none"`: no remote store. */
  readonly remote?: string;
  readonly mode?: RemoteMode;
  /** Signs what is written to the remote store. */
  readonly key?: SigningKey;
  readonly environment?: (name: string) => string | undefined;
  readonly onWarning?: (message: string) => void;
}

/** Both sides of a pipeline's store. */
export interface PipelineStore extends AsyncDisposable {
  readonly store: Store;
  readonly remote: RemoteStore | undefined;
}

/**
 * Opens the store of a pipeline.
 *
 * @throws {UserError} If the remote store cannot be used as asked for.
 */
export async function openPipelineStore(
  pipeline: Pick<Pipeline, "store" | "directory" | "placeOf">,
  choice: StoreChoice,
): Promise<PipelineStore> {
  const { store: spec, directory } = pipeline;
  const onWarning = choice.onWarning ?? (() => {});
  const remote = await remoteOf(pipeline, choice, onWarning);
  const folder = choice.folder ??
    (spec?.local === undefined ? choice.usual() : resolve(directory, spec.local));
  const store = openStore(folder, { onWarning, ...(remote !== undefined && { remote }) });
  return { store, remote, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

async function remoteOf(
  { store: spec, directory, placeOf }: Pick<Pipeline, "store" | "directory" | "placeOf">,
  choice: StoreChoice,
  onWarning: (message: string) => void,
): Promise<RemoteStore | undefined> {
  const address = choice.remote ?? spec?.remote;
  if (address === undefined || address === "none") return undefined;
  const isChosen = choice.remote !== undefined;
  const { openRemote } = await importLater<typeof import("../store/remote/open.ts")>(
    import.meta.resolve("../store/remote/open.ts"),
  );
  try {
    return await openRemote({
      address,
      directory: isChosen ? Deno.cwd() : directory,
      mode: choice.mode ?? spec?.mode ?? "read",
      trust: spec?.trust ?? [],
      isChosen,
      environment: choice.environment ?? (() => undefined),
      onWarning,
      ...(choice.key !== undefined && { key: choice.key }),
    });
  } catch (error) {
    if (isChosen || !(error instanceof UserError)) throw error;
    const place = placeOf(["store", "remote"]);
    throw new UserError(error.problems.map((problem) => ({ ...problem, place })));
  }
}

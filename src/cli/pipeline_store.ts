/**
 * The store of a pipeline, by what the command line, the environment and the pipeline's file say, in this order.
 *
 * @module
 */

import { UserError } from "../base/errors.ts";
import type { SigningKey } from "../base/signature.ts";
import { formatBytes } from "../base/units.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import {
  openPipelineStore,
  type PipelineStore,
  type RemoteMode,
} from "../pipeline/pipeline_store.ts";
import type { RemoteStore, Traffic } from "../store/remote/remote.ts";
import { isRemoteMode, REMOTE_MODES } from "./grammar/shared.ts";
import type { Streams } from "./output/streams.ts";
import { chosenStoreFolder, usualStoreFolder } from "./store_folder.ts";
import { variable } from "./environment.ts";
import { signingKey } from "./signing_key.ts";

/** Options of a command on a pipeline's store. */
export interface PipelineStoreOptions {
  readonly store: string | undefined;
  readonly remote?: string | undefined;
  readonly remoteMode?: RemoteMode | undefined;
  /** The file of a private key. */
  readonly sign?: string | undefined;
}

/** Opens both sides of a pipeline's store; what they warn of is shown. */
export async function openStoreOf(
  pipeline: Pipeline,
  options: PipelineStoreOptions,
  { err }: Streams,
): Promise<PipelineStore & { readonly key: SigningKey | undefined }> {
  const folder = chosenStoreFolder(options.store);
  const remote = options.remote ?? variable("BITBOUND_REMOTE");
  const mode = options.remoteMode ?? modeOfEnvironment();
  const key = await signingKey(options.sign);
  const opened = await openPipelineStore(pipeline, {
    usual: usualStoreFolder,
    environment: variable,
    onWarning: (message) => err.lines(`${err.style.yellow("warning")}: ${message}`),
    ...(folder !== undefined && { folder }),
    ...(remote !== undefined && { remote }),
    ...(mode !== undefined && { mode }),
    ...(key !== undefined && { key }),
  });
  return { ...opened, key };
}

/** Opens the local side only. */
export async function openLocalStoreOf(
  pipeline: Pipeline,
  store: string | undefined,
  streams: Streams,
): Promise<PipelineStore> {
  return await openStoreOf(pipeline, { store, remote: "none" }, streams);
}

function modeOfEnvironment(): RemoteMode | undefined {
  const mode = variable("BITBOUND_REMOTE_MODE");
  if (mode === undefined || isRemoteMode(mode)) return mode;
  throw new UserError({
    message: `BITBOUND_REMOTE_MODE is "${mode}"`,
    hint: `Set it to ${REMOTE_MODES.join(" or ")}`,
  });
}

/** Waits for what is still being written to a remote store, and says what went to and fro. */
export async function finishRemote(remote: RemoteStore, { err }: Streams): Promise<void> {
  await remote.settle();
  const parts = [...traffic(remote.taken, "taken"), ...traffic(remote.given, "given")];
  if (parts.length > 0) err.lines(`Remote store: ${parts.join(", ")}`);
}

function traffic({ results, bytes }: Traffic, verb: string): string[] {
  if (results === 0) return [];
  return [`${results} result${results === 1 ? "" : "s"} (${formatBytes(bytes)}) ${verb}`];
}

/**
 * Opens remote stores by their address.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { isPublicKey, type PublicKey, type SigningKey } from "../../base/signature.ts";
import { isUnprotected, parseAddress, type RemoteAddress } from "./address.ts";
import { FolderTransport } from "./folder.ts";
import { type HttpOptions, HttpTransport } from "./http.ts";
import { RemoteStore } from "./remote.ts";
import type { Patience, Transport } from "./transport.ts";

/** What is asked for. */
export interface OpenRemoteOptions {
  /** `https://…`, `s3://…` or `file:…`. */
  readonly address: string;
  /** What a relative `file:` counts from. */
  readonly directory: string;
  readonly mode: "read" | "read-write";
  readonly trust: readonly PublicKey[];
  readonly key?: SigningKey;
  /**
   * Whether it is the user who named the store, not only a file. Only then its server is sent the token, so that nobody can
   * have it by changing a pipeline.
   */
  readonly isChosen: boolean;
  readonly environment: (name: string) => string | undefined;
  readonly onWarning: (message: string) => void;
  /** Given by tests only. */
  readonly patience?: Patience;
}

const PATIENCE: Patience = { pause: 15_000, whole: 60_000 };

/**
 * Opens a remote store; nothing is asked of it yet.
 *
 * @returns `undefined`, with a warning, if a file named it and Deno does not let this process use the network.
 * @throws {UserError} If it cannot be used as asked for.
 */
export async function openRemote(options: OpenRemoteOptions): Promise<RemoteStore | undefined> {
  const { address: text, mode, trust, key, onWarning } = options;
  for (const each of trust) {
    if (isPublicKey(each)) continue;
    throw new UserError({
      message: `"${each}" is no public key`,
      hint: "A public key is ed25519: and 43 characters; bitbound keys show FILE prints it",
    });
  }
  const address = parseAddress(text, options.directory);
  const transport = await transportOf(address, options);
  if (transport === undefined) return undefined;
  const name = text.replace(/[?#].*$/, "");
  return new RemoteStore({
    name,
    transport,
    mode,
    trust,
    onWarning,
    ...(key !== undefined && { key }),
  });
}

async function transportOf(
  address: RemoteAddress,
  options: OpenRemoteOptions,
): Promise<Transport | undefined> {
  if (address.type === "folder") return new FolderTransport(address.path);
  const http = await httpOptions(address, options);
  // What is wrong with an address is wrong wherever it is used, so that is said before what is not allowed here.
  if (isUnprotected(http.base) && options.trust.length === 0) {
    throw new UserError({
      message:
        `Remote store "${http.base.origin}" is not encrypted: anyone on the way could change its results`,
      hint: "Use https, or say with trust: whose signatures its results need",
    });
  }
  if (!mayAsk(http.base, options)) return undefined;
  return new HttpTransport({ ...http, patience: options.patience ?? PATIENCE });
}

async function httpOptions(
  address: Exclude<RemoteAddress, { type: "folder" }>,
  options: OpenRemoteOptions,
): Promise<Omit<HttpOptions, "patience">> {
  if (address.type === "s3") {
    const { s3Options } = await import("./s3.ts");
    return s3Options(address, options.environment);
  }
  const base = address.url;
  const token = options.isChosen && !isUnprotected(base)
    ? options.environment("BITBOUND_REMOTE_TOKEN") || undefined
    : undefined;
  return {
    base,
    authorize: (request) => {
      if (token !== undefined) request.headers.set("authorization", `Bearer ${token}`);
      return Promise.resolve(request);
    },
    onRefused: token !== undefined
      ? "Is BITBOUND_REMOTE_TOKEN right, and does the server allow this?"
      : options.isChosen
      ? "BITBOUND_REMOTE_TOKEN is not set: the server was asked without it"
      : "A token is sent only to a store that --remote or BITBOUND_REMOTE names",
  };
}

/** Whether Deno lets this process ask a server. */
function mayAsk({ hostname, port, protocol }: URL, options: OpenRemoteOptions): boolean {
  const host = `${hostname}:${port || (protocol === "http:" ? 80 : 443)}`;
  if (Deno.permissions.querySync({ name: "net", host }).state === "granted") return true;
  const message = `Remote store "${options.address}" needs the network, which Deno was not allowed`;
  const hint =
    `Use deno task run:remote instead of deno task run, or call deno with --allow-net=${host}`;
  if (options.isChosen) throw new UserError({ message, hint });
  options.onWarning(`${message}; work goes on with the local store alone. ${hint}`);
  return false;
}

/**
 * What a remote store is called: `https://…`, `s3://…`, `file:…`.
 *
 * @module
 */

import { fileURLToPath, resolve } from "../../base/path.ts";
import { UserError } from "../../base/errors.ts";

/** A remote store by where it is. */
export type RemoteAddress =
  | {
    readonly type: "folder";
    /** Absolute. */
    readonly path: string;
  }
  | {
    readonly type: "http";
    /** Ends with a slash. */
    readonly url: URL;
  }
  | {
    readonly type: "s3";
    readonly bucket: string;
    /** Empty, or ends with a slash. */
    readonly prefix: string;
    readonly region?: string;
    readonly endpoint?: URL;
  };

const FORMS = "Write https://HOST/PATH, s3://BUCKET/PREFIX or file:FOLDER";
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/**
 * Reads an address.
 *
 * @param directory What a relative `file:` counts from.
 * @throws {UserError} If it is none.
 */
export function parseAddress(text: string, directory: string): RemoteAddress {
  const relative = /^file:(?!\/)(.+)$/.exec(text);
  if (relative !== null) return { type: "folder", path: resolve(directory, relative[1]!) };
  const url = URL.parse(text);
  if (url === null) throw wrong(text, "is no address");
  if (url.username !== "" || url.password !== "") {
    throw wrong(
      url.host,
      "has a user or a password in it",
      "Leave them out: BITBOUND_REMOTE_TOKEN, or the variables of AWS, are for secrets",
    );
  }
  switch (url.protocol) {
    case "file:":
      if (url.host !== "") throw wrong(text, "names another machine");
      return { type: "folder", path: fileURLToPath(url) };
    case "http:":
    case "https:":
      if (url.search !== "" || url.hash !== "") throw wrong(text, "goes on after its path");
      return { type: "http", url: withSlash(url) };
    case "s3:":
      return s3Address(text, url);
    default:
      throw wrong(text, `begins with "${url.protocol}"`);
  }
}

function s3Address(text: string, url: URL): RemoteAddress {
  const bucket = url.hostname;
  if (!BUCKET.test(bucket)) throw wrong(text, "names no bucket");
  for (const name of url.searchParams.keys()) {
    if (name !== "region" && name !== "endpoint") {
      throw wrong(text, `has "${name}"`, "After the prefix, region= and endpoint= may stand");
    }
  }
  const region = url.searchParams.get("region") ?? undefined;
  const given = url.searchParams.get("endpoint") ?? undefined;
  const endpoint = given === undefined ? undefined : parseEndpoint(given);
  const prefix = decodeURIComponent(url.pathname).replace(/^\/+|\/+$/g, "");
  return {
    type: "s3",
    bucket,
    prefix: prefix === "" ? "" : `${prefix}/`,
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
  };
}

/**
 * The address of a server that understands S3.
 *
 * @throws {UserError} If it is none.
 */
export function parseEndpoint(text: string): URL {
  const url = URL.parse(text);
  if (url !== null && (url.protocol === "https:" || url.protocol === "http:")) {
    return withSlash(url);
  }
  throw new UserError({
    message: `Endpoint "${text}" is no address`,
    hint: "Write it like https://s3.example.org",
  });
}

/** Whether what is said to a server can be read or changed on the way. */
export function isUnprotected({ protocol, hostname }: URL): boolean {
  return protocol === "http:" && !["localhost", "127.0.0.1", "[::1]"].includes(hostname);
}

function withSlash(url: URL): URL {
  const copy = new URL(url);
  if (!copy.pathname.endsWith("/")) copy.pathname += "/";
  return copy;
}

function wrong(text: string, what: string, hint = FORMS): UserError {
  return new UserError({ message: `Remote store "${text}" ${what}`, hint });
}

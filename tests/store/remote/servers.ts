import { encodeRfc3986, findFault } from "./signature_v4.ts";

/** A server with files in memory. */
export interface TestServer extends AsyncDisposable {
  readonly url: string;
  /** By path, such as `bucket/prefix/blobs/ab/cd`. */
  readonly files: Map<string, Uint8Array>;
  /** `GET path status`, in the order of arrival. */
  readonly log: string[];
}

/** Answers instead of the files, if it gives an answer. */
export type Misbehave = (
  request: Request,
  path: string,
) => Response | Promise<Response> | undefined;

/** What a server is asked, once it is known to be allowed. */
function answer(files: Map<string, Uint8Array>, method: string, path: string, body: Uint8Array) {
  if (method === "PUT") {
    files.set(path, body);
    return new Response(null, { status: 200 });
  }
  const found = files.get(path);
  if (found === undefined) return new Response("not here", { status: 404 });
  return new Response(method === "HEAD" ? null : found as Uint8Array<ArrayBuffer>, {
    headers: { "content-length": String(found.length) },
  });
}

function serve(
  allow: (request: Request, body: Uint8Array) => Response | undefined,
  misbehave?: Misbehave,
): TestServer {
  const files = new Map<string, Uint8Array>();
  const log: string[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const path = decodeURIComponent(new URL(request.url).pathname.slice(1));
    const body = new Uint8Array(await request.arrayBuffer());
    const response = await misbehave?.(request, path) ?? allow(request, body) ??
      answer(files, request.method, path, body);
    log.push(`${request.method} ${path} ${response.status}`);
    return response;
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    files,
    log,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A plain server that takes files from whoever has the token. */
export function httpServer(options: { token?: string; misbehave?: Misbehave } = {}): TestServer {
  return serve((request) => {
    const { token } = options;
    const isWrite = request.method === "PUT";
    if (!isWrite || request.headers.get("authorization") === `Bearer ${token}`) return undefined;
    return new Response("no", { status: 401 });
  }, options.misbehave);
}

/** What the S3 server below accepts. */
export const CREDENTIALS = { id: "AKIDTEST", secret: "very/secret+key", region: "eu-north-1" };

/** The variables that make a client use them. */
export function awsVariables(url: string): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: CREDENTIALS.id,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secret,
    AWS_REGION: CREDENTIALS.region,
    AWS_ENDPOINT_URL_S3: url,
  };
}

/** A server that speaks as much of S3 as remote stores need; it checks signatures as AWS documents them. */
export function s3Server(options: { misbehave?: Misbehave } = {}): TestServer {
  const failure = (status: number, code: string) =>
    new Response(`<?xml version="1.0"?><Error><Code>${code}</Code></Error>`, { status });
  return serve((request, body) => {
    const url = new URL(request.url);
    const { method, headers } = request;
    // S3 signs paths as it writes them itself, however they were written on the way.
    const path = decodeURIComponent(url.pathname).split("/").map(encodeRfc3986).join("/");
    const signed = { method, path, query: url.searchParams, headers };
    const fault = findFault(signed, body, CREDENTIALS);
    if (fault !== undefined) return failure(403, fault);
    return url.pathname.startsWith("/bucket/") ? undefined : failure(404, "NoSuchBucket");
  }, options.misbehave);
}

import { createHash, createHmac } from "node:crypto";

/** What is signed of a request. */
export interface SignedRequest {
  readonly method: string;
  /** Encoded, as it was sent. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
}

const hmac = (key: string | Uint8Array, text: string) =>
  createHmac("sha256", key).update(text).digest();
const sha256 = (content: string | Uint8Array) => createHash("sha256").update(content).digest("hex");
/** Percent-encoding that leaves only letters, digits and `-._~`. */
export const encodeRfc3986 = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/**
 * The signature that AWS's documentation ("Signature Calculations for the Authorization Header") gives a request whose
 * `Authorization` names these headers and this scope.
 */
export function signatureOf(
  { method, path, query, headers }: SignedRequest,
  secret: string,
  scope: string,
  signedHeaders: string,
): string {
  const pairs = [...query].map(([name, value]) => `${encodeRfc3986(name)}=${encodeRfc3986(value)}`)
    .sort();
  const lines = signedHeaders.split(";").map((name) =>
    `${name}:${(headers.get(name) ?? "").trim().replace(/ +/g, " ")}\n`
  );
  const canonical = [
    method,
    path,
    pairs.join("&"),
    lines.join(""),
    signedHeaders,
    headers.get("x-amz-content-sha256"),
  ].join("\n");
  const [date, region, service, end] = scope.split("/") as [string, string, string, string];
  const toSign = ["AWS4-HMAC-SHA256", headers.get("x-amz-date"), scope, sha256(canonical)]
    .join("\n");
  const key = [region, service, end].reduce<Uint8Array>(hmac, hmac(`AWS4${secret}`, date));
  return hmac(key, toSign).toString("hex");
}

/** Says why a server must not believe a request; `undefined` if it may. */
export function findFault(
  request: SignedRequest,
  content: Uint8Array,
  credentials: { readonly id: string; readonly secret: string; readonly region: string },
): string | undefined {
  const form =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8}\/[^/]+\/s3\/aws4_request), SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/;
  const found = form.exec(request.headers.get("authorization") ?? "");
  if (found === null) return "AccessDenied";
  const [, id, scope, signedHeaders, signature] = found as unknown as [string, ...string[]];
  const { headers } = request;
  const stamp = headers.get("x-amz-date") ?? "";
  const time = Date.parse(
    stamp.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z"),
  );
  if (id !== credentials.id) return "InvalidAccessKeyId";
  if (!scope!.startsWith(`${stamp.slice(0, 8)}/${credentials.region}/`)) {
    return "AuthorizationHeaderMalformed";
  }
  if (!(Math.abs(Date.now() - time) < 15 * 60_000)) return "RequestTimeTooSkewed";
  for (const name of ["host", "x-amz-content-sha256", "x-amz-date"]) {
    if (!signedHeaders!.split(";").includes(name)) return "AccessDenied";
  }
  if (signatureOf(request, credentials.secret, scope!, signedHeaders!) !== signature) {
    return "SignatureDoesNotMatch";
  }
  return headers.get("x-amz-content-sha256") === sha256(content)
    ? undefined
    : "XAmzContentSHA256Mismatch";
}

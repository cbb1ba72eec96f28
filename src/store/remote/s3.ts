/**
 * Remote stores in a bucket of S3 or of anything that speaks like it.
 *
 * @module
 */

import { AwsClient } from "aws4fetch";
import { digestOf } from "../digest.ts";
import { parseEndpoint, type RemoteAddress } from "./address.ts";
import type { HttpOptions } from "./http.ts";

type S3Address = Extract<RemoteAddress, { type: "s3" }>;

/** Variables of the environment. */
export type Environment = (name: string) => string | undefined;

/** What AWS's own tools read, too. */
export const AWS_VARIABLES = [
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_REGION",
  "AWS_DEFAULT_REGION",
  "AWS_ENDPOINT_URL_S3",
  "AWS_ENDPOINT_URL",
] as const;

/** Where a bucket's files are, and how requests for them are signed; without credentials they are not. */
export function s3Options(
  address: S3Address,
  environment: Environment,
): Omit<HttpOptions, "patience"> {
  const [id, secret, token, region, defaultRegion, endpointOfS3, endpoint] = AWS_VARIABLES.map((
    name,
  ) => environment(name) || undefined);
  const where = address.region ?? region ?? defaultRegion ?? "us-east-1";
  const server = address.endpoint ?? given(endpointOfS3 ?? endpoint);
  const base = bucketUrl(address, where, server);
  if (id === undefined || secret === undefined) {
    return {
      base,
      authorize: (request) => Promise.resolve(request),
      onRefused:
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set: the bucket was asked without them",
    };
  }
  const client = new AwsClient({
    accessKeyId: id,
    secretAccessKey: secret,
    ...(token !== undefined && { sessionToken: token }),
    service: "s3",
    region: where,
  });
  return {
    base,
    authorize: async ({ url, method }, content) => {
      // With the digest signed, the server refuses what was changed on the way.
      const headers = { "X-Amz-Content-Sha256": digestOf(content ?? new Uint8Array()) };
      const body = content as Uint8Array<ArrayBuffer> | undefined;
      return await client.sign(url, { method, headers, ...(body !== undefined && { body }) });
    },
    onRefused:
      "Look at the AWS variables and the bucket's policy: s3:GetObject and s3:ListBucket to read (without the second, a result that is not there looks forbidden), s3:PutObject to write",
  };
}

function given(endpoint: string | undefined): URL | undefined {
  return endpoint === undefined ? undefined : parseEndpoint(endpoint);
}

/** Another server's buckets are folders; those of AWS are hosts, where their names can be part of one. */
function bucketUrl({ bucket, prefix }: S3Address, region: string, endpoint: URL | undefined): URL {
  const path = prefix.split("/").map(encodeURIComponent).join("/");
  if (endpoint !== undefined) return new URL(`${bucket}/${path}`, endpoint);
  const domain = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  return bucket.includes(".")
    ? new URL(`https://s3.${region}.${domain}/${bucket}/${path}`)
    : new URL(`https://${bucket}.s3.${region}.${domain}/${path}`);
}

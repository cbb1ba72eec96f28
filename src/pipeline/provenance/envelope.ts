/**
 * Signed statements: DSSE envelopes (Dead Simple Signing Envelope, version 1), as in-toto and SLSA use them.
 *
 * @module
 */

import { isSignatureOf, type PublicKey, type SigningKey } from "../../base/signature.ts";

/** What is signed. */
export const PAYLOAD_TYPE = "application/vnd.in-toto+json";

/** An envelope. */
export interface Envelope {
  readonly payloadType: string;
  /** Base64. */
  readonly payload: string;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
}

/** Puts a text into an envelope and signs it. */
export function seal(text: string, key: SigningKey): Envelope {
  const bytes = new TextEncoder().encode(text);
  const { key: keyid, value: sig } = key.sign(preAuthentication(PAYLOAD_TYPE, bytes));
  return { payloadType: PAYLOAD_TYPE, payload: bytes.toBase64(), signatures: [{ keyid, sig }] };
}

/** The content of an envelope, and whose signatures of it are right. */
export function unseal(
  { payloadType, payload, signatures }: Envelope,
): {
  readonly text: string;
  readonly signers: readonly PublicKey[];
  readonly wrong: readonly string[];
} {
  const bytes = Uint8Array.fromBase64(payload);
  const signed = preAuthentication(payloadType, bytes);
  const signers: PublicKey[] = [];
  const wrong: string[] = [];
  for (const { keyid, sig } of signatures) {
    if (isSignatureOf({ key: keyid, value: sig }, signed)) signers.push(keyid);
    else wrong.push(keyid);
  }
  return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), signers, wrong };
}

/** PAE(type, body) of the protocol. */
function preAuthentication(type: string, body: Uint8Array): Uint8Array {
  const encoder = new TextEncoder();
  const head = encoder.encode(
    `DSSEv1 ${encoder.encode(type).length} ${type} ${body.length} `,
  );
  const whole = new Uint8Array(head.length + body.length);
  whole.set(head);
  whole.set(body, head.length);
  return whole;
}

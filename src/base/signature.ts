/**
 * Ed25519 signatures (RFC 8032) and how their keys are written.
 *
 * A public key is text on one line, `ed25519:` and 43 characters; a private key is a PEM file (PKCS #8), as OpenSSL
 * reads and writes them.
 *
 * @module
 */

import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign as signBytes,
  verify as verifyBytes,
} from "node:crypto";
import { Buffer } from "node:buffer";
import { UserError } from "./errors.ts";
import { PUBLIC_KEY_PATTERN } from "./signature_form.ts";

/** A public key as text. */
export type PublicKey = string;

/** Who signed, and what came out. */
export interface Signature {
  readonly key: PublicKey;
  /** Base64 of 64 bytes. */
  readonly value: string;
}

/** A private key. */
export class SigningKey {
  readonly #key: KeyObject;
  /** By which others check what it signed. */
  readonly publicKey: PublicKey;

  private constructor(key: KeyObject) {
    this.#key = key;
    const { x } = createPublicKey(key).export({ format: "jwk" });
    this.publicKey = `ed25519:${x}`;
  }

  /** A new one, from the operating system's random numbers. */
  static generate(): SigningKey {
    return new SigningKey(generateKeyPairSync("ed25519").privateKey);
  }

  /**
   * Reads a PEM text.
   *
   * @param name What messages call it.
   * @throws {UserError} If it is no private key of this sort.
   */
  static parse(pem: string, name: string): SigningKey {
    let key: KeyObject | undefined;
    try {
      key = createPrivateKey({ key: pem, format: "pem" });
    } catch {
      // Said below: what the library says may repeat parts of the text.
    }
    if (key?.asymmetricKeyType === "ed25519") return new SigningKey(key);
    throw new UserError({
      message: `${name} is not a private Ed25519 key in PEM form`,
      hint: "Make one with: bitbound keys new FILE",
    });
  }

  /** The PEM text. */
  toPem(): string {
    return this.#key.export({ format: "pem", type: "pkcs8" }).toString();
  }

  /** Signs; the same bytes always get the same signature. */
  sign(content: Uint8Array): Signature {
    return { key: this.publicKey, value: signBytes(null, content, this.#key).toString("base64") };
  }
}

/** Whether a signature is what the holder of its key made for some bytes. */
export function isSignatureOf({ key, value }: Signature, content: Uint8Array): boolean {
  if (!isPublicKey(key)) return false;
  try {
    const x = key.slice("ed25519:".length);
    const publicKey = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
    return verifyBytes(null, content, publicKey, Buffer.from(value, "base64"));
  } catch {
    return false;
  }
}

/** Whether a text has the form of a public key. */
export function isPublicKey(text: unknown): text is PublicKey {
  return typeof text === "string" && new RegExp(PUBLIC_KEY_PATTERN).test(text);
}

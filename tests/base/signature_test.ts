import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import fc from "fast-check";
import { UserError } from "../../src/base/errors.ts";
import { isPublicKey, isSignatureOf, SigningKey } from "../../src/base/signature.ts";

/** RFC 8032, section 7.1, test 2: seed, public key, message, signature. */
const RFC = {
  seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
  key: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
  message: new Uint8Array([0x72]),
  signature:
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
};

/** A PEM file of a seed: the bytes before it say "Ed25519 private key" (RFC 8410). */
function pemOf(seed: string): string {
  const der = Uint8Array.fromHex(`302e020100300506032b657004220420${seed}`);
  return `-----BEGIN PRIVATE KEY-----\n${der.toBase64()}\n-----END PRIVATE KEY-----\n`;
}

Deno.test("keys and signatures are those of RFC 8032", () => {
  const key = SigningKey.parse(pemOf(RFC.seed), "key");
  const raw = Uint8Array.fromBase64(key.publicKey.slice("ed25519:".length), {
    alphabet: "base64url",
  });
  assert.equal(raw.toHex(), RFC.key);
  const signature = key.sign(RFC.message);
  assert.equal(Uint8Array.fromBase64(signature.value).toHex(), RFC.signature);
  assert.ok(isSignatureOf(signature, RFC.message));
  assert.equal(key.toPem(), pemOf(RFC.seed));
});

Deno.test("WebCrypto accepts what a new key signs, and nothing else is accepted", async () => {
  const key = SigningKey.generate();
  const content = crypto.getRandomValues(new Uint8Array(100));
  const { value } = key.sign(content);
  const x = key.publicKey.slice("ed25519:".length);
  const spki = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" })
    .export({ type: "spki", format: "der" });
  const other = await crypto.subtle.importKey("spki", new Uint8Array(spki), "Ed25519", false, [
    "verify",
  ]);
  const bytes = Uint8Array.fromBase64(value);
  assert.ok(await crypto.subtle.verify("Ed25519", other, bytes, content));
  fc.assert(fc.property(fc.nat(511), fc.nat(799), (inSignature, inContent) => {
    const flip = (from: Uint8Array, bit: number) =>
      from.with(bit >> 3, from[bit >> 3]! ^ (1 << (bit & 7)));
    const signature = { key: key.publicKey, value: flip(bytes, inSignature).toBase64() };
    assert.ok(!isSignatureOf(signature, content));
    assert.ok(!isSignatureOf({ key: key.publicKey, value }, flip(content, inContent)));
  }));
});

Deno.test("what is no key is refused without repeating it", () => {
  for (const text of ["", "secret", pemOf(RFC.seed).replace("MC4", "MC5")]) {
    assert.throws(() => SigningKey.parse(text, "KEY"), (error) => {
      assert.ok(error instanceof UserError);
      assert.equal(error.message, "KEY is not a private Ed25519 key in PEM form");
      assert.equal(error.cause, undefined);
      return true;
    });
  }
  for (const key of ["ed25519:", `ed25519:${"A".repeat(44)}`, "rsa:AAAA", 5, undefined]) {
    assert.ok(!isPublicKey(key));
  }
  assert.ok(!isSignatureOf({ key: "ed25519:x", value: "AA==" }, new Uint8Array()));
});

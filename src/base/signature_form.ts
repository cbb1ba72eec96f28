/**
 * What keys look like, for those that do not sign.
 *
 * @module
 */

/** A public key as text: `ed25519:` and base64url of its 32 bytes. */
export const PUBLIC_KEY_PATTERN = "^ed25519:[A-Za-z0-9_-]{43}$";

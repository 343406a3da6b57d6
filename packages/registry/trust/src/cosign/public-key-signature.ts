import { type KeyObject, verify } from 'node:crypto';

/** Whether the bytes are a signature of the key as cosign makes them: SHA-256, DER for ECDSA, PKCS #1 v1.5 for RSA. */
export function isSignedWith(key: KeyObject, payload: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', payload, key, signature);
  } catch {
    // A signature of the wrong form is one that does not verify.
    return false;
  }
}

import { type KeyObject, verify } from 'node:crypto';
import { ed25519ph } from '@noble/curves/ed25519.js';

/** Longer curves go with longer hashes (sigstore's algorithm registry); cosign used SHA-256 with all of them once. */
const HASHES_OF_CURVE: Readonly<Record<string, readonly string[]>> = {
  secp384r1: ['sha384', 'sha256'],
  secp521r1: ['sha512', 'sha256'],
};

/** Whether the bytes are a signature of the key as cosign makes them: DER for ECDSA, PKCS #1 v1.5 for RSA. */
export function isSignedWith(key: KeyObject, payload: Uint8Array, signature: Uint8Array): boolean {
  try {
    if (key.asymmetricKeyType === 'ed25519') {
      return verify(null, payload, key, signature) || isSignedPrehashed(key, payload, signature);
    }
    const hashes = HASHES_OF_CURVE[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? ['sha256'];
    return hashes.some((hash) => verify(hash, payload, key, signature));
  } catch {
    // A signature of the wrong form is one that does not verify.
    return false;
  }
}

/** Ed25519ph (RFC 8032, 5.1), cosign's choice for Ed25519 keys, which node's crypto does not have. */
function isSignedPrehashed(key: KeyObject, payload: Uint8Array, signature: Uint8Array): boolean {
  const { x = '' } = key.export({ format: 'jwk' });
  return ed25519ph.verify(signature, payload, Buffer.from(x, 'base64url'), { zip215: false });
}

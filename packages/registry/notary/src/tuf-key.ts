import { type KeyObject, createHash, createPublicKey, verify, constants } from 'node:crypto';
import { canonicalize } from '@tufjs/canonical-json';
import { VicError } from '@vic/errors';

/** A public key as TUF metadata carries it. */
export interface TufKey {
  /** `ecdsa`, `ecdsa-x509`, `rsa`, `rsa-x509` or `ed25519`. */
  readonly keytype: string;
  readonly keyval: {
    /** Base64 of a PKIX key (DER), of a PEM certificate, or of the 32 bytes of an Ed25519 key. */
    readonly public: string;
    readonly private: null;
  };
}

/** A signature in TUF metadata. */
export interface TufSignature {
  readonly keyid: string;
  /** `ecdsa`, `rsapss`, `rsapkcs1v15` or `eddsa`. */
  readonly method: string;
  /** Base64; for `ecdsa`, r and s one after the other. */
  readonly sig: string;
}

const MIN_RSA_BITS = 2048;

/** The identifier of a key: SHA-256 over its canonical form, the private half as null. */
export function keyIdOf(key: TufKey): string {
  const form = { keytype: key.keytype, keyval: { private: null, public: key.keyval.public } };
  return createHash('sha256').update(canonicalize(form)).digest('hex');
}

/** Whether the signature is one of `key` over the bytes. */
export function verifySignature(key: TufKey, signature: TufSignature, signed: Uint8Array): boolean {
  try {
    return verifyWith(publicKeyOf(key), signature.method, signed, Buffer.from(signature.sig, 'base64'));
  } catch {
    // A key or signature of the wrong form is one that does not verify.
    return false;
  }
}

function verifyWith(key: KeyObject, method: string, signed: Uint8Array, signature: Uint8Array): boolean {
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (bits !== undefined && bits < MIN_RSA_BITS) return false;
  switch (`${key.asymmetricKeyType}:${method}`) {
    case 'ec:ecdsa':
      return verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, signature);
    case 'rsa:rsapss':
      return verify('sha256', signed, { key, padding: constants.RSA_PKCS1_PSS_PADDING }, signature);
    case 'rsa:rsapkcs1v15':
      return verify('sha256', signed, { key, padding: constants.RSA_PKCS1_PADDING }, signature);
    case 'ed25519:eddsa':
      return verify(null, signed, key, signature);
    default:
      return false;
  }
}

function publicKeyOf({ keytype, keyval }: TufKey): KeyObject {
  const bytes = Buffer.from(keyval.public, 'base64');
  switch (keytype) {
    case 'ecdsa':
    case 'rsa':
      return createPublicKey({ key: bytes, format: 'der', type: 'spki' });
    case 'ecdsa-x509':
    case 'rsa-x509':
      return createPublicKey(bytes.toString('latin1'));
    case 'ed25519':
      return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') }, format: 'jwk' });
    default:
      throw new VicError({ class: 'NotSupported', code: 'NOTARY_KEY_TYPE', message: `unknown key type ${keytype}` });
  }
}

import { type KeyObject, createHash, createPublicKey } from 'node:crypto';
import type { Bundle } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { type TrustMaterial, toTrustMaterial } from '@sigstore/verify';

/** A public key in PEM, or a certificate, whose key is meant. */
const PEM_KEY = /-----BEGIN ([A-Z ]+)-----[\s\S]+?-----END \1-----/g;
const MEDIA_TYPE = 'application/vnd.dev.sigstore.trustedroot';
const ALWAYS = { start: new Date(0), end: new Date(8.64e15) };

/** The public keys of a PEM text; throws when one cannot be read. */
export function publicKeysOf(pem: string): readonly KeyObject[] {
  return (pem.match(PEM_KEY) ?? []).map((block) => createPublicKey(block));
}

/** Why a document is not one of sigstore's trusted roots; `undefined` when it is. */
export function trustedRootProblem(document: object): string | undefined {
  try {
    const material = materialOf(document);
    if (material.certificateAuthorities.length === 0) return 'names no certificate authority';
    if (material.certificateAuthorities.some(({ certChain }) => certChain.length === 0)) return 'has an empty chain';
    // Certificates are good for minutes: something has to prove when they were used.
    if (material.tlogs.length + material.timestampAuthorities.length === 0) {
      return 'names neither a transparency log nor a timestamp authority';
    }
    return undefined;
  } catch {
    return 'has a key or a certificate that cannot be read';
  }
}

/** Whether a document says of itself that it is a trusted root, and not, say, the root of TUF beside it. */
export function isTrustedRoot(document: object): boolean {
  const { mediaType } = document as { readonly mediaType?: unknown };
  return typeof mediaType === 'string' && mediaType.startsWith(MEDIA_TYPE);
}

/** What a trusted root (sigstore protobuf-specs, `TrustedRoot`) trusts. */
export function materialOf(document: object): TrustMaterial {
  return toTrustMaterial(TrustedRoot.fromJSON(document));
}

/** Trust in logs of which only the keys are known. */
export function materialOfKeys(pem: string, bundle: Bundle): TrustMaterial {
  // A log is known by its key; whatever it calls itself in the checkpoints of the bundle, it may.
  const baseURL = bundle.verificationMaterial.tlogEntries
    .map(({ inclusionProof }) => inclusionProof?.checkpoint?.envelope ?? '')
    .join('\n');
  const tlogs = publicKeysOf(pem).map((publicKey) => {
    const logID = createHash('sha256')
      .update(publicKey.export({ format: 'der', type: 'spki' }))
      .digest();
    return { publicKey, logID, baseURL, validFor: ALWAYS };
  });
  const publicKey = (): never => {
    throw new Error('Keys are those of certificates.');
  };
  return { tlogs, certificateAuthorities: [], timestampAuthorities: [], ctlogs: [], publicKey };
}

import type { KeyObject, X509Certificate } from 'node:crypto';
import { type SignedEntity, type TrustMaterial, VerificationError, Verifier, toSignedEntity } from '@sigstore/verify';
import { describeError } from '@vic/errors';
import type { CosignSignature } from './cosign-signature.ts';
import { namesCertificate } from './logged-certificate.ts';
import { isSignedWith } from './public-key-signature.ts';

/** Tells whether the signer's certificate is to be trusted at a time that has been proven. */
type TrustedAt = (time: Date) => boolean;

/**
 * Why what comes with a signature does not prove who made it and when; `undefined` when it does.
 *
 * Each log entry has to be promised or proven by a trusted log, and to be about this signature by this certificate;
 * the certificate has to be good at each time that is proven: by `isTrustedAt`, otherwise by the authorities of the
 * material, and then it has to be in a trusted certificate log as well if the material names one.
 */
export function proofProblem(
  signature: CosignSignature,
  material: TrustMaterial,
  leaf: X509Certificate,
  isTrustedAt?: TrustedAt,
): string | undefined {
  try {
    const read = toSignedEntity(signature.bundle, Buffer.from(signature.signedBytes));
    const entity = judgeable({ ...read, signature: withOurHashes(read.signature, signature) }, material);
    const missing = missingEvidence(entity, signature, material);
    if (missing !== undefined) return missing;
    const verifier = (trusted: TrustMaterial): Verifier =>
      new Verifier(trusted, {
        tlogThreshold: trusted.tlogs.length > 0 ? 1 : 0,
        ctlogThreshold: trusted.ctlogs.length > 0 ? 1 : 0,
        timestampThreshold: 1,
      });
    if (isTrustedAt === undefined) verifier(material).verify(entity);
    else verifier({ ...material, publicKey: keyOf(leaf.publicKey, isTrustedAt) }).verify(withKey(entity));
    return entity.tlogEntries.every(({ canonicalizedBody }) => namesCertificate(canonicalizedBody, leaf))
      ? undefined
      : 'has a log entry that names another certificate';
  } catch (error) {
    return reasonOf(error);
  }
}

/** The library tries SHA-256 with every curve. */
function withOurHashes(
  content: SignedEntity['signature'],
  { signedBytes, signature }: CosignSignature,
): SignedEntity['signature'] {
  return {
    signature: content.signature,
    compareSignature: (other) => content.compareSignature(other),
    compareDigest: (digest) => content.compareDigest(digest),
    compareSignedDigest: (digest) => content.compareSignedDigest(digest),
    verifySignature: (key) => isSignedWith(key, signedBytes, signature),
  };
}

/** Without what nobody named in the material could vouch for, and which therefore proves nothing. */
function judgeable(entity: SignedEntity, { tlogs, timestampAuthorities }: TrustMaterial): SignedEntity {
  const isJudged = { 'transparency-log': tlogs.length > 0, 'timestamp-authority': timestampAuthorities.length > 0 };
  return {
    ...entity,
    tlogEntries: tlogs.length > 0 ? entity.tlogEntries : [],
    timestamps: entity.timestamps.filter(({ $case }) => isJudged[$case]),
  };
}

function missingEvidence(
  { tlogEntries, timestamps }: SignedEntity,
  { bundle }: CosignSignature,
  { tlogs, timestampAuthorities }: TrustMaterial,
): string | undefined {
  if (tlogs.length > 0 && tlogEntries.length === 0) return 'is not in the trusted transparency log';
  const isTimed = timestamps.some(
    (timestamp) => timestamp.$case === 'timestamp-authority' || timestamp.tlogEntry.inclusionPromise !== undefined,
  );
  if (isTimed) return undefined;
  const { rfc3161Timestamps = [] } = bundle.verificationMaterial.timestampVerificationData ?? {};
  return timestampAuthorities.length === 0 && rfc3161Timestamps.length > 0
    ? 'has its time from a timestamp authority (RFC 3161), which only a rule with a trustedRoot can name'
    : 'has neither a promise of its log nor a timestamp of a trusted authority';
}

function keyOf(publicKey: KeyObject, isTrustedAt: TrustedAt): TrustMaterial['publicKey'] {
  return () => ({ publicKey, validFor: isTrustedAt });
}

function withKey(entity: SignedEntity): SignedEntity {
  return { ...entity, key: { $case: 'public-key', hint: '' } };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof VerificationError)) return `cannot be verified: ${describeError(error)}`;
  const { code, message, cause } = error;
  switch (code) {
    case 'TLOG_BODY_ERROR':
      return `is not what its log entry is about (${message})`;
    case 'TLOG_INCLUSION_PROMISE_ERROR':
      return 'has a promise that no trusted transparency log made';
    case 'TLOG_INCLUSION_PROOF_ERROR':
      return `has an inclusion proof that does not hold (${message})`;
    case 'TIMESTAMP_ERROR':
      return `has a timestamp that does not hold (${message})`;
    case 'CERTIFICATE_ERROR':
      return `is not trusted: ${cause instanceof Error ? cause.message : message}`;
    case 'NOT_IMPLEMENTED_ERROR':
    case 'PUBLIC_KEY_ERROR':
    case 'SIGNATURE_ERROR':
    case 'TLOG_ERROR':
    case 'TLOG_MISSING_INCLUSION_ERROR':
      return `is not proven: ${message}`;
  }
}

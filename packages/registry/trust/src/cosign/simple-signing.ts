import { createHash } from 'node:crypto';
import { type Bundle, toMessageSignatureBundle } from '@sigstore/bundle';
import { parseCertificates } from '@vic/pki';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { type CosignSignature, unreadable } from './cosign-signature.ts';

/** The layer of a signature image that holds what was signed. */
export const SIMPLE_SIGNING_TYPE = 'application/vnd.dev.cosign.simplesigning.v1+json';

type Material = Bundle['verificationMaterial'];

const Payload = Type.Object({
  critical: Type.Object({
    image: Type.Object({ 'docker-manifest-digest': Type.String() }),
    type: Type.String(),
  }),
});
const LogEntry = Type.Object({
  SignedEntryTimestamp: Type.String(),
  Payload: Type.Object({
    body: Type.String(),
    integratedTime: Type.Integer(),
    logIndex: Type.Integer(),
    logID: Type.String(),
  }),
});
const EntryKind = Type.Object({ kind: Type.String(), apiVersion: Type.String() });
const Timestamp = Type.Object({ SignedRFC3161Timestamp: Type.String() });
const PAYLOAD_TYPES = ['cosign container image signature', 'atomic container signature'];

/** Reads a signature image's layer (cosign's specification, "Signature Spec"). */
export function readSimpleSigning(payload: Uint8Array, annotations: Readonly<Record<string, string>>): CosignSignature {
  const subjectDigest = subjectOf(payload);
  const encoded = annotations['dev.cosignproject.cosign/signature'];
  if (encoded === undefined) throw unreadable('has no signature annotation');
  const signature = Buffer.from(encoded, 'base64');
  const certificate = annotations['dev.sigstore.cosign/certificate'];
  const chain = annotations['dev.sigstore.cosign/chain'];
  const leaf = certificate ? parseCertificates(certificate, 'the signing certificate')[0]?.raw : undefined;
  const digest = createHash('sha256').update(payload).digest();
  const bundle: Bundle = toMessageSignatureBundle({
    digest,
    signature,
    ...(leaf === undefined ? {} : { certificate: Buffer.from(leaf) }),
  });
  return {
    signedBytes: payload,
    signature,
    subjectDigest,
    attests: undefined,
    certificate: leaf,
    intermediates: chain ? parseCertificates(chain, 'the chain of the certificate').map(({ raw }) => raw) : [],
    bundle: {
      ...bundle,
      verificationMaterial: {
        ...bundle.verificationMaterial,
        tlogEntries: logEntriesOf(annotations['dev.sigstore.cosign/bundle']),
        timestampVerificationData: timestampsOf(annotations['dev.sigstore.cosign/rfc3161timestamp']),
      },
    },
  };
}

function subjectOf(payload: Uint8Array): string {
  const value = parseJson(Buffer.from(payload).toString('utf8'));
  if (!Value.Check(Payload, value) || !PAYLOAD_TYPES.includes(value.critical.type)) {
    throw unreadable('is not over a statement about an image');
  }
  return value.critical.image['docker-manifest-digest'];
}

function logEntriesOf(annotation: string | undefined): Material['tlogEntries'] {
  if (!annotation) return [];
  const entry = parseJson(annotation);
  if (!Value.Check(LogEntry, entry)) throw unreadable('has a log entry that is none');
  const { body, integratedTime, logIndex, logID } = entry.Payload;
  const canonicalizedBody = Buffer.from(body, 'base64');
  const kind = parseJson(canonicalizedBody.toString('utf8'));
  if (!Value.Check(EntryKind, kind)) throw unreadable('has a log entry of no kind');
  return [
    {
      logIndex: String(logIndex),
      logId: { keyId: Buffer.from(logID, 'hex') },
      kindVersion: { kind: kind.kind, version: kind.apiVersion },
      integratedTime: String(integratedTime),
      inclusionPromise: { signedEntryTimestamp: Buffer.from(entry.SignedEntryTimestamp, 'base64') },
      inclusionProof: undefined,
      canonicalizedBody,
    },
  ];
}

function timestampsOf(annotation: string | undefined): Material['timestampVerificationData'] {
  if (!annotation) return undefined;
  const timestamp = parseJson(annotation);
  if (!Value.Check(Timestamp, timestamp)) throw unreadable('has a timestamp that is none');
  return { rfc3161Timestamps: [{ signedTimestamp: Buffer.from(timestamp.SignedRFC3161Timestamp, 'base64') }] };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unreadable('is not JSON', cause);
  }
}

import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { type CosignSignature, unreadable } from './cosign-signature.ts';

/** What newer clients store as a referrer of the signed artifact. */
export const BUNDLE_TYPE = /^application\/vnd\.dev\.sigstore\.bundle(\.v0\.3)?\+json/;

const Certificate = Type.Object({ rawBytes: Type.String() });
const Bundle = Type.Object({
  verificationMaterial: Type.Object({
    certificate: Type.Optional(Certificate),
    x509CertificateChain: Type.Optional(Type.Object({ certificates: Type.Array(Certificate, { maxItems: 10 }) })),
    tlogEntries: Type.Optional(
      Type.Array(
        Type.Object({
          logIndex: Type.String(),
          logId: Type.Object({ keyId: Type.String() }),
          integratedTime: Type.Optional(Type.String()),
          inclusionPromise: Type.Optional(Type.Object({ signedEntryTimestamp: Type.String() })),
          canonicalizedBody: Type.String(),
        }),
        { maxItems: 10 },
      ),
    ),
  }),
  dsseEnvelope: Type.Object({
    payload: Type.String(),
    payloadType: Type.String(),
    signatures: Type.Array(Type.Object({ sig: Type.String() }), { minItems: 1, maxItems: 1 }),
  }),
});
const Statement = Type.Object({
  subject: Type.Array(Type.Object({ digest: Type.Record(Type.String(), Type.String()) }), { minItems: 1, maxItems: 1 }),
  predicateType: Type.String(),
});
const SIGN_PREDICATE = 'https://sigstore.dev/cosign/sign/v1';

/** Reads a sigstore bundle with a DSSE envelope around an in-toto statement (sigstore protobuf-specs, bundle v0.3). */
export function readSigstoreBundle(bytes: Uint8Array): CosignSignature {
  const bundle = parseJson(Buffer.from(bytes).toString('utf8'));
  if (!Value.Check(Bundle, bundle)) throw unreadable('is not a bundle with an envelope');
  const { dsseEnvelope, verificationMaterial } = bundle;
  const payload = Buffer.from(dsseEnvelope.payload, 'base64');
  const certificates = [
    ...(verificationMaterial.certificate === undefined ? [] : [verificationMaterial.certificate]),
    ...(verificationMaterial.x509CertificateChain?.certificates ?? []),
  ].map(({ rawBytes }) => Buffer.from(rawBytes, 'base64'));
  const [entry] = verificationMaterial.tlogEntries ?? [];
  return {
    signedBytes: preAuthenticated(dsseEnvelope.payloadType, payload),
    signature: Buffer.from(dsseEnvelope.signatures[0]?.sig ?? '', 'base64'),
    subjectDigest: subjectOf(payload),
    certificate: certificates[0],
    intermediates: certificates.slice(1),
    logEntry:
      entry?.inclusionPromise === undefined
        ? undefined
        : {
            body: entry.canonicalizedBody,
            integratedTimeS: Number(entry.integratedTime ?? '0'),
            logIndex: Number(entry.logIndex),
            logId: Buffer.from(entry.logId.keyId, 'base64').toString('hex'),
            promise: entry.inclusionPromise.signedEntryTimestamp,
          },
  };
}

/** DSSE's pre-authentication encoding: type and payload with their lengths. */
function preAuthenticated(type: string, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `), payload]);
}

function subjectOf(payload: Buffer): string {
  const statement = parseJson(payload.toString('utf8'));
  if (!Value.Check(Statement, statement)) throw unreadable('is not over an in-toto statement about one artifact');
  // An attestation, say an SBOM, is signed too, but it does not approve of the artifact.
  if (statement.predicateType !== SIGN_PREDICATE) throw unreadable(`is an attestation (${statement.predicateType})`);
  const [[algorithm, hash] = ['', '']] = Object.entries(statement.subject[0]?.digest ?? {});
  return `${algorithm}:${hash}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unreadable('is not JSON', cause);
  }
}

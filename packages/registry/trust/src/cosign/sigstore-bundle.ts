import { type Bundle, ValidationError, bundleFromJSON, isBundleWithDsseEnvelope } from '@sigstore/bundle';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { type CosignSignature, unreadable } from './cosign-signature.ts';

/** What newer clients store as a referrer of the signed artifact. */
export const BUNDLE_TYPE = /^application\/vnd\.dev\.sigstore\.bundle(\.v0\.3)?\+json/;

const Statement = Type.Object({
  subject: Type.Array(Type.Object({ digest: Type.Record(Type.String(), Type.String()) }), { minItems: 1, maxItems: 1 }),
  predicateType: Type.String(),
});
const STATEMENT_TYPE = 'application/vnd.in-toto+json';
/** What a bundle says that approves of an artifact and no more. */
export const SIGN_PREDICATE = 'https://sigstore.dev/cosign/sign/v1';
/** Each is judged; clients send one, or one for each log. */
const MAX_ENTRIES = 10;
/** Fulcio's chains have three. */
const MAX_CERTIFICATES = 10;

/** Reads a sigstore bundle with a DSSE envelope around an in-toto statement (sigstore protobuf-specs, `Bundle`). */
export function readSigstoreBundle(bytes: Uint8Array): CosignSignature {
  const bundle = parseBundle(parseJson(Buffer.from(bytes).toString('utf8')));
  if (!isBundleWithDsseEnvelope(bundle)) throw unreadable('is a bundle without an envelope, as those of files are');
  const { payload, payloadType, signatures } = bundle.content.dsseEnvelope;
  const certificates = certificatesOf(bundle);
  requireFew(bundle, certificates);
  return {
    signedBytes: preAuthenticated(payloadType, payload),
    signature: signatures[0]?.sig ?? Buffer.alloc(0),
    ...statementOf(payloadType, payload),
    certificate: certificates[0],
    intermediates: certificates.slice(1),
    bundle,
  };
}

function parseBundle(json: unknown): Bundle {
  if (typeof json !== 'object' || json === null) throw unreadable('is not a bundle');
  try {
    return bundleFromJSON(json);
  } catch (error) {
    const fields = error instanceof ValidationError ? `: ${error.fields.slice(0, 5).join(', ')}` : '';
    throw unreadable(`is not a bundle of sigstore${fields}`, error);
  }
}

function certificatesOf({ verificationMaterial: { content } }: Bundle): readonly Buffer[] {
  switch (content.$case) {
    case 'certificate':
      return [content.certificate.rawBytes];
    case 'x509CertificateChain':
      return content.x509CertificateChain.certificates.map(({ rawBytes }) => rawBytes);
    case 'publicKey':
      return [];
  }
}

function requireFew({ verificationMaterial }: Bundle, certificates: readonly Buffer[]): void {
  const { tlogEntries, timestampVerificationData } = verificationMaterial;
  const timestamps = timestampVerificationData?.rfc3161Timestamps ?? [];
  if (Math.max(tlogEntries.length, timestamps.length) > MAX_ENTRIES || certificates.length > MAX_CERTIFICATES) {
    throw unreadable('has more certificates, log entries or timestamps than anybody needs');
  }
}

/** DSSE's pre-authentication encoding: type and payload with their lengths. */
function preAuthenticated(type: string, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `), payload]);
}

function statementOf(type: string, payload: Buffer): Pick<CosignSignature, 'subjectDigest' | 'attests'> {
  const statement = type === STATEMENT_TYPE ? parseJson(payload.toString('utf8')) : undefined;
  if (!Value.Check(Statement, statement)) throw unreadable('is not over an in-toto statement about one artifact');
  const { subject, predicateType } = statement;
  const [[algorithm, hash] = ['', '']] = Object.entries(subject[0]?.digest ?? {});
  return {
    subjectDigest: `${algorithm}:${hash}`,
    attests: predicateType === SIGN_PREDICATE ? undefined : predicateType,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unreadable('is not JSON', cause);
  }
}

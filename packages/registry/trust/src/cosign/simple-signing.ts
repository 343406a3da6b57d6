import { parseCertificates } from '@vic/pki';
import { Value } from 'typebox/value';
import { Type } from 'typebox';
import { type CosignSignature, type LogEntry, unreadable } from './cosign-signature.ts';

/** The layer of a signature image that holds what was signed. */
export const SIMPLE_SIGNING_TYPE = 'application/vnd.dev.cosign.simplesigning.v1+json';

const Payload = Type.Object({
  critical: Type.Object({
    image: Type.Object({ 'docker-manifest-digest': Type.String() }),
    type: Type.String(),
  }),
});
const Bundle = Type.Object({
  SignedEntryTimestamp: Type.String(),
  Payload: Type.Object({
    body: Type.String(),
    integratedTime: Type.Integer(),
    logIndex: Type.Integer(),
    logID: Type.String(),
  }),
});
const PAYLOAD_TYPES = ['cosign container image signature', 'atomic container signature'];

/** Reads a signature image's layer (cosign's specification, "Signature Spec"). */
export function readSimpleSigning(payload: Uint8Array, annotations: Readonly<Record<string, string>>): CosignSignature {
  const statement = parse(payload);
  const signature = annotations['dev.cosignproject.cosign/signature'];
  if (signature === undefined) throw unreadable('has no signature annotation');
  const certificate = annotations['dev.sigstore.cosign/certificate'];
  const chain = annotations['dev.sigstore.cosign/chain'];
  return {
    signedBytes: payload,
    signature: Buffer.from(signature, 'base64'),
    subjectDigest: statement,
    certificate: certificate ? parseCertificates(certificate, 'the signing certificate')[0]?.raw : undefined,
    intermediates: chain ? parseCertificates(chain, 'the chain of the certificate').map(({ raw }) => raw) : [],
    logEntry: logEntryOf(annotations['dev.sigstore.cosign/bundle']),
  };
}

function parse(payload: Uint8Array): string {
  const value = parseJson(Buffer.from(payload).toString('utf8'));
  if (!Value.Check(Payload, value) || !PAYLOAD_TYPES.includes(value.critical.type)) {
    throw unreadable('is not over a statement about an image');
  }
  return value.critical.image['docker-manifest-digest'];
}

function logEntryOf(bundle: string | undefined): LogEntry | undefined {
  if (bundle === undefined) return undefined;
  const value = parseJson(bundle);
  if (!Value.Check(Bundle, value)) return undefined;
  const { body, integratedTime, logIndex, logID } = value.Payload;
  return { body, integratedTimeS: integratedTime, logIndex, logId: logID, promise: value.SignedEntryTimestamp };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unreadable('is not JSON', cause);
  }
}

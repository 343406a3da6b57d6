import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { unreadable } from '../cosign/cosign-signature.ts';
import type { NotationSignature } from './notation-signature.ts';

/** A signature in JSON. */
export const JWS_TYPE = 'application/jose+json';

const Envelope = Type.Object({
  payload: Type.String(),
  protected: Type.String(),
  signature: Type.String(),
  header: Type.Object({ x5c: Type.Array(Type.String(), { minItems: 1, maxItems: 10 }) }),
});
const Protected = Type.Object({
  alg: Type.Enum(['PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512']),
  cty: Type.Literal('application/vnd.cncf.notary.payload.v1+json'),
  crit: Type.Array(Type.String(), { maxItems: 20 }),
  'io.cncf.notary.signingScheme': Type.String(),
  'io.cncf.notary.expiry': Type.Optional(Type.String()),
});
/** The schema of what is signed. */
export const NotationPayload = Type.Object({ targetArtifact: Type.Object({ digest: Type.String() }) });

/** Reads a JWS envelope. */
export function readJws(bytes: Uint8Array): NotationSignature {
  const envelope = parseJson(bytes);
  if (!Value.Check(Envelope, envelope)) throw unreadable('is not a JWS envelope');
  const header = parseJson(Buffer.from(envelope.protected, 'base64url'));
  const payload = parseJson(Buffer.from(envelope.payload, 'base64url'));
  if (!Value.Check(Protected, header)) throw unreadable('has a protected header that is not understood');
  if (!Value.Check(NotationPayload, payload)) throw unreadable('is not over an artifact');
  const expiry = header['io.cncf.notary.expiry'];
  return {
    algorithm: header.alg,
    signedBytes: Buffer.from(`${envelope.protected}.${envelope.payload}`),
    signature: Buffer.from(envelope.signature, 'base64url'),
    certificates: envelope.header.x5c.map((certificate) => Buffer.from(certificate, 'base64')),
    subjectDigest: payload.targetArtifact.digest,
    scheme: header['io.cncf.notary.signingScheme'],
    expiresAtMs: expiry === undefined ? undefined : Date.parse(expiry),
    critical: header.crit,
  };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw unreadable('is not JSON', cause);
  }
}

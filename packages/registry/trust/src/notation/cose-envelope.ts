import { type TagDecoder, decode, encode } from 'cborg';
import { Value } from 'typebox/value';
import { unreadable } from '../cosign/cosign-signature.ts';
import { NotationPayload } from './jws-envelope.ts';
import type { NotationAlgorithm, NotationSignature } from './notation-signature.ts';

/** A signature in CBOR. */
export const COSE_TYPE = 'application/cose';

/** RFC 9052 4.2 and its registries. */
const COSE_SIGN1_TAG = 18;
const EPOCH_TIME_TAG = 1;
const LABEL = { algorithm: 1, critical: 2, contentType: 3, certificates: 33 } as const;
const ALGORITHMS: Readonly<Record<number, NotationAlgorithm>> = {
  [-7]: 'ES256',
  [-35]: 'ES384',
  [-36]: 'ES512',
  [-37]: 'PS256',
  [-38]: 'PS384',
  [-39]: 'PS512',
};

type CborMap = ReadonlyMap<unknown, unknown>;

/** Reads a COSE_Sign1 envelope. */
export function readCose(bytes: Uint8Array): NotationSignature {
  const message = decodeCbor(bytes);
  if (!Array.isArray(message) || message.length !== 4) throw unreadable('is not a COSE_Sign1 message');
  const [protectedBytes, unprotected, payload, signature] = message as readonly unknown[];
  if (!(protectedBytes instanceof Uint8Array && payload instanceof Uint8Array && signature instanceof Uint8Array)) {
    throw unreadable('is not a COSE_Sign1 message');
  }
  const header = asMap(decodeCbor(protectedBytes));
  const algorithm = ALGORITHMS[Number(header.get(LABEL.algorithm))];
  const scheme = header.get('io.cncf.notary.signingScheme');
  const expiry = header.get('io.cncf.notary.expiry');
  if (algorithm === undefined || typeof scheme !== 'string') throw unreadable('has a header that is not understood');
  const target: unknown = JSON.parse(Buffer.from(payload).toString('utf8'));
  if (!Value.Check(NotationPayload, target)) throw unreadable('is not over an artifact');
  const critical = header.get(LABEL.critical);
  return {
    algorithm,
    signedBytes: encode(['Signature1', protectedBytes, new Uint8Array(), payload]),
    signature,
    certificates: certificatesOf(asMap(unprotected)),
    subjectDigest: target.targetArtifact.digest,
    scheme,
    expiresAtMs: typeof expiry === 'number' ? expiry * 1000 : undefined,
    critical: Array.isArray(critical) ? critical.filter((item) => item !== LABEL.contentType).map(String) : [],
  };
}

function certificatesOf(unprotected: CborMap): readonly Uint8Array[] {
  const value = unprotected.get(LABEL.certificates);
  const list = Array.isArray(value) ? value : [value];
  const certificates = list.filter((item) => item instanceof Uint8Array);
  if (certificates.length === 0 || certificates.length !== list.length) throw unreadable('carries no certificates');
  return certificates;
}

function decodeCbor(bytes: Uint8Array): unknown {
  try {
    return decode(bytes, { useMaps: true, rejectDuplicateMapKeys: true, tags: TAGS });
  } catch (cause) {
    throw unreadable('is not CBOR', cause);
  }
}

/** Tags say what we know from the place. */
const TAGS: Record<number, TagDecoder> = {
  [COSE_SIGN1_TAG]: (inner) => inner(),
  [EPOCH_TIME_TAG]: (inner) => inner(),
};

function asMap(value: unknown): CborMap {
  if (value instanceof Map) return value;
  throw unreadable('has no header map');
}

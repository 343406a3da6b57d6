import { createHash, sign } from 'node:crypto';
import { der, integer, objectId, octets, sequence, set, time } from './der.ts';
import type { Issued } from './test-certificate.ts';

const SIGNED_DATA = '1.2.840.113549.1.7.2';
const TIMESTAMP_INFO = '1.2.840.113549.1.9.16.1.4';
const CONTENT_TYPE = '1.2.840.113549.1.9.3';
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';
const SHA256 = sequence(objectId('2.16.840.1.101.3.4.2.1'));
const ECDSA_SHA256 = sequence(objectId('1.2.840.10045.4.3.2'));

/** An authority's answer that bytes with this SHA-256 existed at a time (RFC 3161). */
export function timestamp(authority: Issued, issuerName: Buffer, hash: Uint8Array, atMs: number): Buffer {
  const imprint = sequence(SHA256, octets(hash));
  const info = sequence(integer(1), objectId('1.3.6.1.4.1.57264.2'), imprint, integer(7), time(atMs));
  const attributes = Buffer.concat([
    sequence(objectId(CONTENT_TYPE), set(objectId(TIMESTAMP_INFO))),
    sequence(objectId(MESSAGE_DIGEST), set(octets(sha256(info)))),
  ]);
  const signer = sequence(
    integer(1),
    sequence(issuerName, authority.serialNumber),
    SHA256,
    der(0xa0, attributes),
    ECDSA_SHA256,
    // Signed as the SET that they are, not under the tag that they are carried with (RFC 5652, section 5.4).
    octets(sign('sha256', set(attributes), authority.privateKey)),
  );
  const content = sequence(objectId(TIMESTAMP_INFO), der(0xa0, octets(info)));
  const data = sequence(integer(3), set(SHA256), content, set(signer));
  return sequence(sequence(integer(0)), sequence(objectId(SIGNED_DATA), der(0xa0, data)));
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

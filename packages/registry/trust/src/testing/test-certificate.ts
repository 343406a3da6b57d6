import { type KeyObject, createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { bits, der, integer, objectId, octets, sequence, set, shortTime, utf8, yes } from './der.ts';

/** A certificate and the key of whom it is for. */
export interface Issued {
  readonly certificate: Buffer;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** Its subject as an issuer has to be named. */
  readonly name: Buffer;
  readonly serialNumber: Buffer;
}

/** What is asked of an authority. */
export interface CertificateOptions {
  readonly commonName: string;
  readonly validFromMs: number;
  readonly validToMs: number;
  readonly isAuthority?: boolean;
  readonly curve?: 'P-256' | 'P-384';
  /** How many authorities there may be below this one. */
  readonly pathLength?: number;
  /** Extended key usages, as object identifiers. */
  readonly usages?: readonly string[];
  readonly alternativeNames?: readonly AlternativeName[];
  /** Further extensions: their values as they are. */
  readonly extensions?: Readonly<Record<string, Buffer>>;
  /** Makes the value of the extension with the timestamps of certificate logs out of what is to be certified. */
  readonly certificateLog?: (precertificate: Buffer, issuerKey: KeyObject) => Buffer;
}

/** A name of the subject; `username` is Fulcio's own kind. */
export type AlternativeName = { readonly kind: 'email' | 'uri' | 'username'; readonly value: string };

const ECDSA_SHA256 = sequence(objectId('1.2.840.10045.4.3.2'));
const FULCIO_USERNAME = '1.3.6.1.4.1.57264.1.7';
/** Has to be critical where it is (RFC 3161, 2.3). */
const TIMESTAMPING = '1.3.6.1.5.5.7.3.8';
const CERTIFICATE_LOG = '1.3.6.1.4.1.11129.2.4.2';

/** Issues a certificate for a new key; self-signed without an issuer. */
export function issueCertificate(options: CertificateOptions & { readonly issuer?: Issued }): Issued {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: options.curve ?? 'P-256' });
  const name = distinguishedName(options.commonName);
  const serialNumber = integer(0x01, ...randomBytes(15));
  const issuer = options.issuer ?? { privateKey, publicKey, name };
  return {
    certificate: certify(publicKey, issuer, { ...options, serialNumber }),
    privateKey,
    publicKey,
    name,
    serialNumber,
  };
}

/** Certifies a key that somebody else has. */
export function certify(
  publicKey: KeyObject,
  issuer: Pick<Issued, 'privateKey' | 'publicKey' | 'name'>,
  options: CertificateOptions & { readonly serialNumber?: Buffer },
): Buffer {
  const extensions = extensionsOf(options, publicKey, issuer.publicKey);
  const serialNumber = options.serialNumber ?? integer(0x01, ...randomBytes(15));
  const certified = (all: readonly Buffer[]): Buffer =>
    sequence(
      der(0xa0, integer(2)),
      serialNumber,
      ECDSA_SHA256,
      issuer.name,
      sequence(shortTime(options.validFromMs), shortTime(options.validToMs)),
      distinguishedName(options.commonName),
      spki(publicKey),
      der(0xa3, sequence(...all)),
    );
  const timestamps = options.certificateLog?.(certified(extensions), issuer.publicKey);
  const body = certified(
    timestamps === undefined ? extensions : [...extensions, extension(CERTIFICATE_LOG, timestamps)],
  );
  return sequence(body, ECDSA_SHA256, bits(sign('sha256', body, issuer.privateKey)));
}

/** DER as PEM. */
export function toPem(bytes: Uint8Array, label = 'CERTIFICATE'): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** A public key in DER. */
export function spki(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' });
}

function extensionsOf(options: CertificateOptions, subject: KeyObject, issuer: KeyObject): readonly Buffer[] {
  const { isAuthority = false, usages = [], alternativeNames = [], extensions = {} } = options;
  const below = options.pathLength === undefined ? [] : [integer(options.pathLength)];
  // keyCertSign and cRLSign of an authority, digitalSignature of all others.
  const keyUsage = isAuthority ? Buffer.from([0x03, 0x02, 0x01, 0x06]) : Buffer.from([0x03, 0x02, 0x07, 0x80]);
  return [
    extension('2.5.29.15', keyUsage, true),
    extension('2.5.29.19', isAuthority ? sequence(yes(), ...below) : sequence(), true),
    extension('2.5.29.14', octets(keyId(subject))),
    extension('2.5.29.35', sequence(der(0x80, keyId(issuer)))),
    ...(usages.length === 0
      ? []
      : [extension('2.5.29.37', sequence(...usages.map(objectId)), usages.includes(TIMESTAMPING))]),
    ...(alternativeNames.length === 0
      ? []
      : [extension('2.5.29.17', sequence(...alternativeNames.map(generalName)), true)]),
    ...Object.entries(extensions).map(([id, value]) => extension(id, value)),
  ];
}

function extension(id: string, value: Buffer, isCritical = false): Buffer {
  return sequence(objectId(id), ...(isCritical ? [yes()] : []), octets(value));
}

function generalName({ kind, value }: AlternativeName): Buffer {
  if (kind === 'username') return der(0xa0, objectId(FULCIO_USERNAME), der(0xa0, utf8(value)));
  return der(kind === 'email' ? 0x81 : 0x86, Buffer.from(value));
}

function distinguishedName(commonName: string): Buffer {
  const part = (id: string, text: string): Buffer => set(sequence(objectId(id), utf8(text)));
  return sequence(part('2.5.4.10', 'Example'), part('2.5.4.3', commonName));
}

function keyId(key: KeyObject): Buffer {
  return createHash('sha1').update(spki(key)).digest();
}

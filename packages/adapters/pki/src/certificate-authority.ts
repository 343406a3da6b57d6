// @peculiar/x509 registers its algorithms through reflect-metadata and throws without it.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
  cryptoProvider,
} from '@peculiar/x509';

cryptoProvider.set(webcrypto as Crypto);

/** A certificate and its private key, both PEM. */
export interface Credential {
  readonly certificate: string;
  readonly key: string;
}

/** Who a certificate is for. */
export interface Subject {
  readonly commonName: string;
  readonly organization?: string;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
/** Clocks of machines differ a little; a certificate must be valid on all of them at once. */
const BACKDATED_MS = 60 * 60_000;
const CA_DAYS = 3650;
const LEAF_DAYS = 730;

/**
 * A certificate authority with P-256 keys: a new one, or one read back from PEM.
 *
 * It exists to issue the certificates of one VCH, or of one host; nothing of it is kept here.
 */
export class CertificateAuthority {
  readonly #credential: Credential;
  readonly #certificate: X509Certificate;
  readonly #key: CryptoKey;

  private constructor(credential: Credential, certificate: X509Certificate, key: CryptoKey) {
    this.#credential = credential;
    this.#certificate = certificate;
    this.#key = key;
  }

  /** Makes an authority, valid for ten years. */
  static async create(subject: Subject): Promise<CertificateAuthority> {
    const keys = await newKeys();
    const certificate = await X509CertificateGenerator.createSelfSigned({
      serialNumber: serialNumber(),
      name: distinguishedName(subject),
      ...validity(CA_DAYS),
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    const credential = { certificate: `${certificate.toString('pem')}\n`, key: await exportKey(keys.privateKey) };
    return new CertificateAuthority(credential, certificate, keys.privateKey);
  }

  /** Certificate and key of the authority itself. */
  get credential(): Credential {
    return this.#credential;
  }

  /** A certificate for a TLS server that is reached by `hosts`: names, wildcards and IP addresses. */
  async issueServer(subject: Subject, hosts: readonly string[]): Promise<Credential> {
    const names = hosts.map((host) => ({ type: isIP(host) === 0 ? ('dns' as const) : ('ip' as const), value: host }));
    return this.#issue(subject, ExtendedKeyUsage.serverAuth, [new SubjectAlternativeNameExtension(names)]);
  }

  /** A certificate for a TLS client. */
  async issueClient(subject: Subject): Promise<Credential> {
    return this.#issue(subject, ExtendedKeyUsage.clientAuth, []);
  }

  async #issue(
    subject: Subject,
    usage: ExtendedKeyUsage,
    extensions: readonly SubjectAlternativeNameExtension[],
  ): Promise<Credential> {
    const keys = await newKeys();
    const certificate = await X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject: distinguishedName(subject),
      issuer: this.#certificate.subject,
      ...validity(LEAF_DAYS),
      publicKey: keys.publicKey,
      signingKey: this.#key,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([usage]),
        await SubjectKeyIdentifierExtension.create(keys.publicKey),
        await AuthorityKeyIdentifierExtension.create(this.#certificate),
        ...extensions,
      ],
    });
    return { certificate: `${certificate.toString('pem')}\n`, key: await exportKey(keys.privateKey) };
  }
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

async function exportKey(key: CryptoKey): Promise<string> {
  return `${PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
}

function validity(days: number): { readonly notBefore: Date; readonly notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - BACKDATED_MS), notAfter: new Date(now + days * DAY_MS) };
}

function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  // RFC 5280 4.1.2.2: positive and at most 20 octets.
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x01;
  return bytes.toHex();
}

function distinguishedName({ commonName, organization }: Subject): Record<string, string[]>[] {
  return [...(organization === undefined ? [] : [{ O: [organization] }]), { CN: [commonName] }];
}

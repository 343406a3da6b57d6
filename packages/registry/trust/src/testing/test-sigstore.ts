import { type KeyObject, createHash, sign } from 'node:crypto';
import { utf8 } from './der.ts';
import { IMAGE, type Layer } from './shelf.ts';
import { type CertificateOptions, type Issued, certify, issueCertificate, spki, toPem } from './test-certificate.ts';
import { TestLog, certificateLog } from './test-log.ts';
import { timestamp } from './test-timestamp.ts';

/** Who signs, and what goes wrong on the way. */
export interface Signing {
  readonly certificate?: Partial<CertificateOptions>;
  /** The OIDC provider; `undefined` leaves the extension out. */
  readonly issuer?: string | undefined;
  /** The older extension with the issuer as plain text. */
  readonly issuerInPlainText?: boolean;
  readonly digest?: string;
  readonly signedAtMs?: number;
  /** When the log says that it took the entry in. */
  readonly loggedAtMs?: number;
  /** The log that makes the promise, if another. */
  readonly log?: TestLog;
  /** Changes the entry before the log takes it in. */
  readonly entry?: (entry: Entry) => Entry;
  /** Whether a timestamp authority confirms the time; otherwise the log does. */
  readonly timestamped?: boolean;
  readonly predicateType?: string;
}

/** A document whose kind is of no matter to those who change it. */
export type Entry = { readonly [key: string]: unknown };

const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
const TIMESTAMPING = '1.3.6.1.5.5.7.3.8';
const ISSUER_IN_PLAIN_TEXT = '1.3.6.1.4.1.57264.1.1';
const ISSUER = '1.3.6.1.4.1.57264.1.8';
const MINUTE_MS = 60_000;
const YEAR_MS = 365 * 24 * 60 * MINUTE_MS;
const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** Who signs unless a test says otherwise. */
export const SIGNER = 'https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1';
/** Who vouches for the signer. */
export const PROVIDER = 'https://token.actions.githubusercontent.com';

/** An instance of sigstore of our own: certificate authority, its certificate log, transparency log, timestamps. */
export class TestSigstore {
  readonly log = new TestLog();
  readonly #root: Issued;
  readonly #intermediate: Issued;
  readonly #timestamps: Issued;
  readonly #certificates = certificateLog();

  constructor(
    options: { readonly root?: Partial<CertificateOptions>; readonly intermediate?: Partial<CertificateOptions> } = {},
  ) {
    const life = { validFromMs: Date.now() - YEAR_MS, validToMs: Date.now() + YEAR_MS };
    this.#root = issueCertificate({ commonName: 'fulcio root', isAuthority: true, ...life, ...options.root });
    this.#intermediate = issueCertificate({
      commonName: 'fulcio',
      issuer: this.#root,
      isAuthority: true,
      usages: [CODE_SIGNING],
      ...life,
      ...options.intermediate,
    });
    this.#timestamps = issueCertificate({
      commonName: 'timestamps',
      issuer: this.#root,
      usages: [TIMESTAMPING],
      ...life,
    });
  }

  /** The root, PEM. */
  get root(): string {
    return toPem(this.#root.certificate);
  }

  /** Root and intermediate, PEM. */
  get authorities(): string {
    return `${toPem(this.#intermediate.certificate)}${this.root}`;
  }

  /** The key of the transparency log, PEM. */
  get logKey(): string {
    return toPem(spki(this.log.publicKey), 'PUBLIC KEY');
  }

  /** All that is trusted, as sigstore's instances publish it. */
  trustedRoot(): { readonly [key: string]: unknown } {
    const validFor = { start: new Date(Date.now() - YEAR_MS).toISOString() };
    const chain = (...issued: readonly Issued[]): object => ({
      certificates: issued.map(({ certificate }) => ({ rawBytes: certificate.toString('base64') })),
    });
    const log = (baseUrl: string, key: Buffer): object => ({
      baseUrl,
      hashAlgorithm: 'SHA2_256',
      publicKey: { rawBytes: key.toString('base64'), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor },
      logId: { keyId: sha256(key).toString('base64') },
    });
    const authority = { subject: { organization: 'Example', commonName: 'fulcio' }, uri: 'https://fulcio.example' };
    return {
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [log(this.log.baseUrl, spki(this.log.publicKey))],
      certificateAuthorities: [{ ...authority, certChain: chain(this.#intermediate, this.#root), validFor }],
      ctlogs: [log('https://ct.example', spki(this.#certificates.publicKey))],
      timestampAuthorities: [{ ...authority, certChain: chain(this.#timestamps, this.#root), validFor }],
    };
  }

  /** The certificate for somebody's key and those of the authorities, PEM. */
  issueFor(publicKey: KeyObject, signing: Signing): string {
    return `${toPem(certify(publicKey, this.#intermediate, this.#request(signing)))}${this.authorities}`;
  }

  /** The timestamp authority's answer for a SHA-256. */
  timestamp(hash: Buffer, { loggedAtMs, signedAtMs }: Signing = {}): Buffer {
    return timestamp(this.#timestamps, this.#root.name, hash, loggedAtMs ?? signedAtMs ?? Date.now());
  }

  /** A signature as cosign keeps it under a tag: payload and annotations. */
  simpleSigning(signing: Signing = {}): Layer {
    const payload = Buffer.from(
      JSON.stringify({
        critical: {
          identity: { 'docker-reference': '' },
          image: { 'docker-manifest-digest': signing.digest ?? IMAGE },
          type: 'cosign container image signature',
        },
        optional: null,
      }),
    );
    const signer = this.#certify(signing);
    const signature = sign('sha256', payload, signer.privateKey);
    const logged = this.#log(hashedRecord(sha256(payload), signature, signer), signing);
    const bundle = {
      SignedEntryTimestamp: logged.promise.toString('base64'),
      Payload: {
        body: logged.body.toString('base64'),
        integratedTime: logged.integratedTimeS,
        logIndex: logged.logIndex,
        logID: (signing.log ?? this.log).id.toString('hex'),
      },
    };
    return {
      mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json',
      bytes: payload,
      annotations: {
        'dev.cosignproject.cosign/signature': signature.toString('base64'),
        'dev.sigstore.cosign/certificate': toPem(signer.certificate),
        'dev.sigstore.cosign/chain': this.authorities,
        'dev.sigstore.cosign/bundle': JSON.stringify(bundle),
      },
    };
  }

  /** A signature as newer clients keep it beside an image. */
  bundle(signing: Signing = {}): Bundle {
    const statement = {
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ digest: { sha256: (signing.digest ?? IMAGE).replace('sha256:', '') } }],
      predicateType: signing.predicateType ?? 'https://sigstore.dev/cosign/sign/v1',
      predicate: {},
    };
    const payload = Buffer.from(JSON.stringify(statement));
    const payloadType = 'application/vnd.in-toto+json';
    const signed = Buffer.concat([
      Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `),
      payload,
    ]);
    const signer = this.#certify(signing);
    const hash = signing.certificate?.curve === 'P-384' ? 'sha384' : 'sha256';
    const signature = sign(hash, signed, signer.privateKey);
    const entry = signing.timestamped
      ? hashedRecordV2(sha256(signed), signature, signer)
      : envelopeRecord(sha256(payload), signature, signer);
    return {
      mediaType: BUNDLE_TYPE,
      verificationMaterial: {
        certificate: { rawBytes: signer.certificate.toString('base64') },
        tlogEntries: [this.entry(entry, signing)],
        timestampVerificationData: {
          rfc3161Timestamps: signing.timestamped
            ? [{ signedTimestamp: this.timestamp(sha256(signature), signing).toString('base64') }]
            : [],
        },
      },
      dsseEnvelope: {
        payload: payload.toString('base64'),
        payloadType,
        signatures: [{ sig: signature.toString('base64') }],
      },
    };
  }

  /** Has an entry logged; tells it as bundles do. */
  entry(entry: Entry, signing: Signing): TlogEntry {
    const { body, logIndex, integratedTimeS, promise, proof } = this.#log(entry, signing);
    const { kind, apiVersion } = entry as { readonly kind: string; readonly apiVersion: string };
    return {
      logIndex: String(logIndex),
      logId: { keyId: (signing.log ?? this.log).id.toString('base64') },
      kindVersion: { kind, version: apiVersion },
      // Logs of the second version neither tell the time nor promise.
      ...(signing.timestamped
        ? {}
        : {
            integratedTime: String(integratedTimeS),
            inclusionPromise: { signedEntryTimestamp: promise.toString('base64') },
          }),
      inclusionProof: {
        logIndex: String(proof.logIndex),
        treeSize: String(proof.treeSize),
        rootHash: proof.rootHash.toString('base64'),
        hashes: proof.hashes.map((hash) => hash.toString('base64')),
        checkpoint: { envelope: proof.checkpoint },
      },
      canonicalizedBody: body.toString('base64'),
    };
  }

  #certify(signing: Signing): Issued {
    return issueCertificate({ issuer: this.#intermediate, ...this.#request(signing) });
  }

  #request({
    certificate,
    issuer = PROVIDER,
    issuerInPlainText = false,
    signedAtMs = Date.now(),
  }: Signing): CertificateOptions {
    return {
      commonName: '',
      validFromMs: signedAtMs - MINUTE_MS,
      validToMs: signedAtMs + 9 * MINUTE_MS,
      usages: [CODE_SIGNING],
      alternativeNames: [{ kind: 'uri', value: SIGNER }],
      // Fulcio writes both; what is older than the second has the first alone.
      extensions: {
        [ISSUER_IN_PLAIN_TEXT]: Buffer.from(issuer),
        ...(issuerInPlainText ? {} : { [ISSUER]: utf8(issuer) }),
      },
      certificateLog: this.#certificates.promise,
      ...certificate,
    };
  }

  #log(entry: Entry, { log = this.log, entry: change, loggedAtMs, signedAtMs }: Signing): ReturnType<TestLog['add']> {
    return log.add(change?.(entry) ?? entry, loggedAtMs ?? signedAtMs ?? Date.now());
  }
}

/** A bundle, as JSON. */
export interface Bundle {
  readonly mediaType: string;
  readonly verificationMaterial: {
    readonly certificate: { readonly rawBytes: string };
    readonly tlogEntries: readonly TlogEntry[];
    readonly timestampVerificationData: { readonly rfc3161Timestamps: readonly object[] };
  };
  readonly dsseEnvelope: {
    readonly payload: string;
    readonly payloadType: string;
    readonly signatures: readonly { readonly sig: string }[];
  };
}

/** An entry of a bundle, as JSON. */
export interface TlogEntry {
  readonly inclusionProof: { readonly hashes: readonly string[]; readonly [key: string]: unknown };
  readonly [key: string]: unknown;
}

/** Stores a bundle's text as its layer. */
export function bundleLayer(bundle: object): Layer {
  return { mediaType: BUNDLE_TYPE, bytes: Buffer.from(JSON.stringify(bundle)) };
}

/** Rekor's entry for what is signed as it is. */
function hashedRecord(hash: Buffer, signature: Buffer, { certificate }: Issued): Entry {
  const publicKey = { content: Buffer.from(toPem(certificate)).toString('base64') };
  return {
    apiVersion: '0.0.1',
    kind: 'hashedrekord',
    spec: {
      data: { hash: { algorithm: 'sha256', value: hash.toString('hex') } },
      signature: { content: signature.toString('base64'), publicKey },
    },
  };
}

/** Rekor's entry for an envelope. */
function envelopeRecord(payloadHash: Buffer, signature: Buffer, { certificate }: Issued): Entry {
  const verifier = Buffer.from(toPem(certificate)).toString('base64');
  return {
    apiVersion: '0.0.1',
    kind: 'dsse',
    spec: {
      envelopeHash: { algorithm: 'sha256', value: '00'.repeat(32) },
      payloadHash: { algorithm: 'sha256', value: payloadHash.toString('hex') },
      signatures: [{ signature: signature.toString('base64'), verifier }],
    },
  };
}

/** The second Rekor's entry for anything. */
function hashedRecordV2(hash: Buffer, signature: Buffer, { certificate }: Issued): Entry {
  const x509Certificate = { rawBytes: certificate.toString('base64') };
  const verifier = { keyDetails: 'PKIX_ECDSA_P256_SHA_256', x509Certificate };
  return {
    apiVersion: '0.0.2',
    kind: 'hashedrekord',
    spec: {
      hashedRekordV002: {
        data: { algorithm: 'SHA2_256', digest: hash.toString('base64') },
        signature: { content: signature.toString('base64'), verifier },
      },
    },
  };
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

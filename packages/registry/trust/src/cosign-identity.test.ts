import { describe, expect, test } from 'vitest';
import type { TrustPolicy, TrustVerdict } from './index.ts';
import { IMAGE, type Layer, Shelf, digestOf, sigTag } from './testing/shelf.ts';
import { toPem } from './testing/test-certificate.ts';
import { TestLog } from './testing/test-log.ts';
import { type Bundle, PROVIDER, SIGNER, type Signing, TestSigstore, bundleLayer } from './testing/test-sigstore.ts';

const sigstore = new TestSigstore();
const another = new TestSigstore();
const HOUR_MS = 3_600_000;
/** Long before now: only the log's time makes the certificate of ten minutes good. */
const LAST_WEEK = Date.now() - 7 * 24 * HOUR_MS;

const byKeys = { authorities: sigstore.authorities, logKey: sigstore.logKey };
const byRoot = { trustedRoot: sigstore.trustedRoot() };

describe.each([
  ['authorities and a log key', byKeys],
  ['a trusted root', byRoot],
])('a cosign-identity rule with %s', (_name, roots) => {
  describe.each([
    ['annotations of a tag', (signing: Signing) => under(sigstore.simpleSigning(signing))],
    ['a bundle beside the image', (signing: Signing) => beside(sigstore.bundle(signing))],
  ])('and %s', (_form, signed) => {
    test('accepts the signer, exactly and by pattern, long after the certificate has expired', async () => {
      const shelf = signed({ signedAtMs: LAST_WEEK });
      for (const rule of [
        { subject: SIGNER },
        { subject: SIGNER, issuer: PROVIDER },
        { subject: 'https://github.com/acme/*@refs/tags/*', issuer: 'https://token.*' },
        { subject: '*' },
      ]) {
        await expect(judge(shelf, { ...roots, ...rule })).resolves.toMatchObject({ trusted: true });
      }
    });

    test.each([
      ['e-mail', { kind: 'email', value: 'release@example.com' }],
      ['user name of an issuer', { kind: 'username', value: 'robot!example.com' }],
    ] as const)('accepts a signer named by %s, and the issuer in its older form', async (_kind, name) => {
      const shelf = signed({ certificate: { alternativeNames: [name] }, issuerInPlainText: true });
      await expect(judge(shelf, { ...roots, subject: name.value, issuer: PROVIDER })).resolves.toMatchObject({
        trusted: true,
      });
    });

    test('accepts an issuer whose name is longer than 127 characters', async () => {
      const issuer = `https://example.com/${'realm/'.repeat(30)}`;
      await expect(judge(signed({ issuer }), { ...roots, subject: SIGNER, issuer })).resolves.toMatchObject({
        trusted: true,
      });
    });

    test.each<[string, Partial<Identity>, Signing, string | RegExp]>([
      ['another identity', { subject: 'https://github.com/acme/*@refs/heads/*' }, {}, `was made by ${SIGNER}`],
      ['another issuer', { issuer: 'https://accounts.example' }, {}, `was vouched for by ${PROVIDER}`],
      ['no issuer', { issuer: PROVIDER }, { certificate: { extensions: {} } }, 'was vouched for by nobody'],
      [
        'a certificate that had expired when the log took it in',
        {},
        { signedAtMs: LAST_WEEK, loggedAtMs: LAST_WEEK + HOUR_MS },
        /valid/,
      ],
      ['a log entry before the certificate was issued', {}, { loggedAtMs: LAST_WEEK }, /valid/],
      ['a log entry by another log', {}, { log: new TestLog() }, 'that no trusted transparency log made'],
      [
        'a certificate that may not sign code',
        {},
        { certificate: { usages: ['1.3.6.1.5.5.7.3.2'] } },
        'with a certificate that may not sign code',
      ],
      [
        'a certificate without a usage',
        {},
        { certificate: { usages: [] } },
        'with a certificate that may not sign code',
      ],
    ])('refuses %s, and says so', async (_what, identity, signing, reason) => {
      const verdict = await judge(signed(signing), { ...roots, subject: SIGNER, ...identity });
      expect(verdict).toMatchObject({ trusted: false });
      expect(verdict.reason).toMatch(reason);
    });

    test('refuses a signature of another artifact', async () => {
      const verdict = await judge(signed({ digest: digestOf('another') }), { ...roots, subject: SIGNER });
      expect(verdict).toMatchObject({ trusted: false, reason: 'its signature is of another artifact' });
    });

    test('refuses a log entry of another signature, of another certificate and of another kind', async () => {
      const [other] = sigstore.bundle().dsseEnvelope.signatures;
      const entries: readonly [string, (entry: object) => object][] = [
        ['log entry', (entry) => withSignature(entry, other?.sig ?? '')],
        ['log entry that names another certificate', (entry) => withCertificate(entry)],
        ['log entry', (entry) => ({ ...entry, kind: 'rpm' })],
      ];
      for (const [reason, entry] of entries) {
        const shelf = signed({ entry: (value) => ({ ...entry(value) }) });
        const verdict = await judge(shelf, { ...roots, subject: SIGNER });
        expect(verdict).toMatchObject({ trusted: false });
        expect(verdict.reason).toContain(reason);
      }
    });

    test('does not take a part of a name for a name', async () => {
      const value = `https://evil.example/, URI:${SIGNER}, DNS:x`;
      const shelf = signed({ certificate: { alternativeNames: [{ kind: 'uri', value }] } });
      await expect(judge(shelf, { ...roots, subject: SIGNER })).resolves.toMatchObject({ trusted: false });
    });
  });

  test('accepts a key on a longer curve, with the hash that goes with it', async () => {
    const shelf = beside(sigstore.bundle({ certificate: { curve: 'P-384' } }));
    await expect(judge(shelf, { ...roots, subject: SIGNER })).resolves.toMatchObject({ trusted: true });
  });

  test('refuses certificates of another authority, in both forms', async () => {
    for (const shelf of [
      under(another.simpleSigning({ log: sigstore.log })),
      beside(another.bundle({ log: sigstore.log })),
    ]) {
      const { trusted, reason } = await judge(shelf, { ...roots, subject: SIGNER });
      expect(trusted).toBe(false);
      expect(reason).toContain('is not trusted');
    }
  });

  test('refuses a changed payload, in both forms', async () => {
    const layer = sigstore.simpleSigning();
    const changed = layer.bytes.toString().replace('"optional":null', '"optional":{"a":"b"}');
    const bundle = sigstore.bundle();
    const statement = Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString();
    const envelope = {
      ...bundle.dsseEnvelope,
      payload: Buffer.from(statement.replace('"predicate":{}', '"predicate":{"a":1}')).toString('base64'),
    };
    for (const shelf of [
      under({ ...layer, bytes: Buffer.from(changed) }),
      beside({ ...bundle, dsseEnvelope: envelope }),
    ]) {
      await expect(judge(shelf, { ...roots, subject: SIGNER })).resolves.toMatchObject({
        trusted: false,
        reason: expect.stringContaining('does not verify with its own certificate') as string,
      });
    }
  });

  test('refuses what no log has taken in', async () => {
    const { 'dev.sigstore.cosign/bundle': _bundle, ...annotations } = sigstore.simpleSigning().annotations ?? {};
    for (const shelf of [
      under({ ...sigstore.simpleSigning(), annotations }),
      beside(withMaterial(sigstore.bundle(), { tlogEntries: [] })),
    ]) {
      const { trusted, reason } = await judge(shelf, { ...roots, subject: SIGNER });
      expect(trusted).toBe(false);
      expect(reason).toContain('is not in the trusted transparency log');
    }
  });

  test('refuses an inclusion proof that does not lead to the signed root, and one with a root of its own', async () => {
    const bundle = sigstore.bundle();
    const foreign = sigstore.bundle().verificationMaterial.tlogEntries[0]?.inclusionProof;
    const [, ...short] = bundle.verificationMaterial.tlogEntries[0]?.inclusionProof.hashes ?? [];
    const forged = another.bundle().verificationMaterial.tlogEntries[0]?.inclusionProof['checkpoint'];
    for (const proof of [
      { hashes: foreign?.hashes ?? [] },
      { hashes: short },
      { checkpoint: foreign?.['checkpoint'] },
      { checkpoint: forged },
      { checkpoint: { envelope: 'nonsense' } },
      { logIndex: '2' },
    ]) {
      const { trusted, reason } = await judge(beside(withProof(bundle, proof)), { ...roots, subject: SIGNER });
      expect(trusted).toBe(false);
      expect(reason).toContain('inclusion proof that does not hold');
    }
  });

  test('refuses an attestation by name: it is signed, but does not approve', async () => {
    const shelf = beside(sigstore.bundle({ predicateType: 'https://spdx.dev/Document' }));
    const { trusted, reason } = await judge(shelf, { ...roots, subject: SIGNER });
    expect(trusted).toBe(false);
    expect(reason).toContain('is an attestation (https://spdx.dev/Document)');
  });

  test('bears what makes no sense', async () => {
    const bundle = sigstore.bundle();
    const [entry] = bundle.verificationMaterial.tlogEntries;
    for (const nonsense of [
      withMaterial(bundle, { certificate: { rawBytes: 'AAAA' } }),
      withMaterial(bundle, { tlogEntries: [{ ...entry, canonicalizedBody: Buffer.from('null').toString('base64') }] }),
      withMaterial(bundle, { tlogEntries: [{ ...entry, integratedTime: 'soon' }] }),
      withMaterial(bundle, { tlogEntries: 7 }),
      withMaterial(bundle, { timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp: 'AAAA' }] } }),
      { ...bundle, dsseEnvelope: { ...bundle.dsseEnvelope, payload: 7 } },
      { ...bundle, mediaType: 'application/vnd.dev.sigstore.bundle.v9.9+json' },
      [],
      null,
    ]) {
      const verdict = await judge(beside(nonsense), { ...roots, subject: 'nobody' });
      expect(verdict.trusted).toBe(false);
      expect(verdict.reason).not.toBe('it has no signature');
    }
  });
});

describe('a cosign-identity rule with a trusted root', () => {
  test('accepts an entry of a log without a clock when a timestamp authority tells the time', async () => {
    const shelf = beside(sigstore.bundle({ timestamped: true, signedAtMs: LAST_WEEK }));
    await expect(judge(shelf, { ...byRoot, subject: SIGNER })).resolves.toMatchObject({ trusted: true });
  });

  test('refuses a timestamp outside the life of the certificate, of another signature and of nobody known', async () => {
    const late = sigstore.bundle({ timestamped: true, signedAtMs: LAST_WEEK, loggedAtMs: LAST_WEEK + HOUR_MS });
    const bundle = sigstore.bundle({ timestamped: true });
    const { timestampVerificationData } = sigstore.bundle({ timestamped: true }).verificationMaterial;
    const moved = withMaterial(bundle, { timestampVerificationData });
    const foreign = another.bundle({ timestamped: true, log: sigstore.log }).verificationMaterial;
    const unknown = withMaterial(bundle, { timestampVerificationData: foreign.timestampVerificationData });
    const without = withMaterial(bundle, { timestampVerificationData: { rfc3161Timestamps: [] } });
    for (const [shelf, reason] of [
      [beside(late), 'valid'],
      [beside(moved), 'timestamp'],
      [beside(unknown), 'timestamp'],
      [beside(without), 'timestamp'],
    ] as const) {
      const verdict = await judge(shelf, { ...byRoot, subject: SIGNER });
      expect(verdict.trusted).toBe(false);
      expect(verdict.reason).toContain(reason);
    }
  });

  test('refuses a certificate that no trusted certificate log has seen', async () => {
    const { ctlogs } = another.trustedRoot();
    const trustedRoot = { ...sigstore.trustedRoot(), ctlogs };
    const verdict = await judge(beside(sigstore.bundle()), { trustedRoot, subject: SIGNER });
    expect(verdict).toMatchObject({ trusted: false, reason: expect.stringContaining('SCT') as string });
  });
});

describe('a cosign-identity rule with authorities', () => {
  test('names a timestamp (RFC 3161) that it cannot judge', async () => {
    const verdict = await judge(beside(sigstore.bundle({ timestamped: true })), { ...byKeys, subject: SIGNER });
    expect(verdict).toMatchObject({ trusted: false });
    expect(verdict.reason).toContain('RFC 3161');
    expect(verdict.reason).toContain('trustedRoot');
  });

  test('accepts any of several log keys', async () => {
    const logKey = `${another.logKey}${sigstore.logKey}`;
    await expect(judge(beside(sigstore.bundle()), { ...byKeys, logKey, subject: SIGNER })).resolves.toMatchObject({
      trusted: true,
    });
  });

  test('without a log key, demands a certificate that is valid now', async () => {
    const rule = { authorities: sigstore.authorities, subject: SIGNER };
    await expect(judge(under(sigstore.simpleSigning()), rule)).resolves.toMatchObject({ trusted: true });
    const { trusted, reason } = await judge(under(sigstore.simpleSigning({ signedAtMs: LAST_WEEK })), rule);
    expect(trusted).toBe(false);
    expect(reason).toContain('not valid at the time of signing');
  });

  test('takes the intermediate from the signature, or from the rule when a bundle has none', async () => {
    const rule = { ...byKeys, authorities: sigstore.root, subject: SIGNER };
    await expect(judge(under(sigstore.simpleSigning()), rule)).resolves.toMatchObject({ trusted: true });
    const { reason } = await judge(beside(sigstore.bundle()), rule);
    expect(reason).toContain('was not issued by a trusted authority');
  });

  test('does not trust an authority that the signature brings along', async () => {
    const layer = another.simpleSigning({ log: sigstore.log });
    const annotations = {
      ...layer.annotations,
      'dev.sigstore.cosign/chain': `${another.authorities}${sigstore.authorities}`,
    };
    const verdict = await judge(under({ ...layer, annotations }), { ...byKeys, subject: SIGNER });
    expect(verdict).toMatchObject({ trusted: false });
  });
});

test('a signature is found among attestations without end, and is what a refusal speaks of', async () => {
  const shelf = new Shelf();
  shelf.put([bundleLayer(sigstore.bundle())], { artifactType: bundleLayer({}).mediaType });
  const predicateType = 'https://cosign.sigstore.dev/attestation/vuln/v1';
  for (let count = 0; count < 60; count++) {
    const layer = bundleLayer({ ...sigstore.bundle({ predicateType }), count });
    const annotations = { 'dev.sigstore.bundle.predicateType': predicateType };
    shelf.put([layer], { artifactType: layer.mediaType, annotations });
  }
  await expect(judge(shelf, { ...byRoot, subject: SIGNER })).resolves.toMatchObject({ trusted: true });
  expect((await judge(shelf, { ...byRoot, subject: 'nobody' })).reason).toContain('the first was made by');
});

test('a chain is refused that is longer than its authority allows, or whose intermediate is for other uses', async () => {
  for (const [own, reason] of [
    [new TestSigstore({ root: { pathLength: 0 } }), 'allows fewer authorities below it'],
    [new TestSigstore({ intermediate: { usages: ['1.3.6.1.5.5.7.3.1'] } }), 'not issued by a trusted authority'],
  ] as const) {
    const verdict = await judge(under(own.simpleSigning()), { authorities: own.root, subject: SIGNER });
    expect(verdict.trusted).toBe(false);
    expect(verdict.reason).toContain(reason);
  }
  const own = new TestSigstore({ root: { pathLength: 1 }, intermediate: { usages: [], pathLength: 0 } });
  await expect(judge(under(own.simpleSigning()), { authorities: own.root, subject: SIGNER })).resolves.toMatchObject({
    trusted: true,
  });
});

interface Identity {
  readonly subject: string;
  readonly issuer?: string;
}
type Roots = { readonly authorities: string; readonly logKey?: string } | { readonly trustedRoot: object };

async function judge(shelf: Shelf, rule: Identity & Roots): Promise<TrustVerdict> {
  const policy = { rules: [{ kind: 'cosign-identity', name: 'ci', ...rule }] } as TrustPolicy;
  return shelf.judge(policy, 'cosign');
}

function under(layer: Layer): Shelf {
  const shelf = new Shelf();
  shelf.put([layer], { tag: sigTag(IMAGE) });
  return shelf;
}

function beside(bundle: unknown): Shelf {
  const shelf = new Shelf();
  const layer = bundleLayer(bundle as object);
  shelf.put([layer], { artifactType: layer.mediaType });
  return shelf;
}

function withMaterial(bundle: Bundle, material: object): object {
  return { ...bundle, verificationMaterial: { ...bundle.verificationMaterial, ...material } };
}

function withProof(bundle: Bundle, proof: object): object {
  const [entry] = bundle.verificationMaterial.tlogEntries;
  return withMaterial(bundle, {
    tlogEntries: [{ ...entry, inclusionProof: { ...entry?.inclusionProof, ...proof } }],
  });
}

/** The entry with another signature in it, whichever kind it is. */
function withSignature(entry: object, signature: string): object {
  return JSON.parse(JSON.stringify(entry).replace(/"(content|signature)":"ME[^"]+"/, `"$1":"${signature}"`)) as object;
}

/** The entry with another certificate in it, whichever kind it is. */
function withCertificate(entry: object): object {
  const other = sigstore.bundle().verificationMaterial.certificate.rawBytes;
  const pem = Buffer.from(toPem(Buffer.from(other, 'base64'))).toString('base64');
  return JSON.parse(JSON.stringify(entry).replace(/"LS0t[^"]+"/, `"${pem}"`)) as object;
}

import { type KeyObject, generateKeyPairSync, sign } from 'node:crypto';
import { ed25519ph } from '@noble/curves/ed25519.js';
import { ANONYMOUS, type Permission, type Principal } from '@vic/authz';
import { type ContentDigest, MEDIA_TYPES } from '@vic/oci';
import { CertificateAuthority } from '@vic/pki';
import type { Artifact } from '@vic/repositories';
import { temporaryDatabase } from '@vic/sql/testing';
import { describe, expect, test } from 'vitest';
import { SIMPLE_SIGNING_TYPE } from './cosign/simple-signing.ts';
import { TrustGate, TrustPolicies, type TrustPolicy, TrustVerifier } from './index.ts';
import { IMAGE, REPOSITORY, Shelf, digestOf, sigTag } from './testing/shelf.ts';
import { TestSigstore } from './testing/test-sigstore.ts';

const PROJECT = { id: 7, name: 'team', public: true };

describe('a cosign-key rule', () => {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const policy = policyOf({ kind: 'cosign-key', name: 'release', key: pem(pair.publicKey) });

  test('accepts a signature of its key over the artifact', async () => {
    const shelf = new Shelf();
    putSimpleSigning(shelf, pair.privateKey, IMAGE);
    await expect(shelf.judge(policy, 'cosign')).resolves.toMatchObject({ trusted: true, reason: 'release' });
  });

  test.each([
    ['P-384', 'sha384', generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    ['P-384', 'sha256', generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    ['P-521', 'sha512', generateKeyPairSync('ec', { namedCurve: 'P-521' })],
    ['RSA', 'sha256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['Ed25519', null, generateKeyPairSync('ed25519')],
  ])('accepts a signature of a key of the kind %s with %s, and none of another', async (_kind, hash, own) => {
    const rule = policyOf({ kind: 'cosign-key', name: 'release', key: pem(own.publicKey) });
    const shelf = new Shelf();
    putSimpleSigning(shelf, own.privateKey, IMAGE, (payload) => payload, hash);
    await expect(shelf.judge(rule, 'cosign')).resolves.toMatchObject({ trusted: true });
    const foreign = new Shelf();
    putSimpleSigning(foreign, pair.privateKey, IMAGE);
    await expect(foreign.judge(rule, 'cosign')).resolves.toMatchObject({ trusted: false });
  });

  test('accepts Ed25519ph, which cosign makes of Ed25519 keys, and says no to what was changed', async () => {
    const own = generateKeyPairSync('ed25519');
    const rule = policyOf({ kind: 'cosign-key', name: 'release', key: pem(own.publicKey) });
    const { d = '' } = own.privateKey.export({ format: 'jwk' });
    const prehashed = (payload: Buffer): Buffer => Buffer.from(ed25519ph.sign(payload, Buffer.from(d, 'base64url')));
    const shelf = new Shelf();
    putSimpleSigning(shelf, prehashed, IMAGE);
    await expect(shelf.judge(rule, 'cosign')).resolves.toMatchObject({ trusted: true });
    const changed = new Shelf();
    putSimpleSigning(changed, prehashed, IMAGE, (payload) => `${payload} `);
    await expect(changed.judge(rule, 'cosign')).resolves.toMatchObject({ trusted: false });
  });

  test('refuses another key, another artifact and a changed payload, and says which', async () => {
    const another = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const shelf = new Shelf();
    putSimpleSigning(shelf, another.privateKey, IMAGE);
    await expect(shelf.judge(policy, 'cosign')).resolves.toMatchObject({
      trusted: false,
      reason: 'its signature was made by another key (rule release)',
    });
    const moved = new Shelf();
    putSimpleSigning(moved, pair.privateKey, digestOf('another image'));
    expect((await moved.judge(policy, 'cosign')).reason).toBe('its signature is of another artifact');
    const changed = new Shelf();
    putSimpleSigning(changed, pair.privateKey, IMAGE, (payload) => payload.replace('"optional":null', '"optional":{}'));
    expect((await changed.judge(policy, 'cosign')).trusted).toBe(false);
  });

  test('says that there is no signature, or that there is no rule', async () => {
    expect((await new Shelf().judge(policy, 'cosign')).reason).toBe('it has no signature');
    expect((await new Shelf().judge(policy, 'notation')).reason).toContain('no rule for notation');
  });

  test('accepts a bundle whose statement is about the artifact, and no attestation', async () => {
    const shelf = new Shelf();
    putBundle(shelf, pair.privateKey, 'https://sigstore.dev/cosign/sign/v1');
    expect((await shelf.judge(policy, 'cosign')).trusted).toBe(true);
    const attested = new Shelf();
    putBundle(attested, pair.privateKey, 'https://spdx.dev/Document');
    expect((await attested.judge(policy, 'cosign')).reason).toContain('is an attestation');
  });

  test('looks at so many signatures and no more, however they are spread', async () => {
    const shelf = new Shelf();
    for (let manifest = 0; manifest < 4; manifest++) {
      const layers = Array.from({ length: 20 }, (_, layer) => {
        const bytes = Buffer.from(`${manifest}/${layer}`);
        return { mediaType: SIMPLE_SIGNING_TYPE, bytes };
      });
      shelf.put(layers, { artifactType: SIMPLE_SIGNING_TYPE });
    }
    expect((await shelf.judge(policy, 'cosign')).signatures).toHaveLength(50);
  });

  test('takes nothing on the word of an unreadable signature', async () => {
    const shelf = new Shelf();
    shelf.put([{ mediaType: SIMPLE_SIGNING_TYPE, bytes: Buffer.from('{') }], { tag: sigTag(IMAGE) });
    expect((await shelf.judge(policy, 'cosign')).reason).toContain('cannot be read');
  });
});

describe('a notation rule', () => {
  test('refuses a certificate that was issued for other uses than signing', async () => {
    const authority = await CertificateAuthority.create({ commonName: 'Example CA' });
    const signer = await authority.issueClient({ commonName: 'Release', organization: 'Example' });
    const rule = { kind: 'notation', name: 'ci', authorities: authority.credential.certificate } as const;
    const shelf = new Shelf();
    putJws(shelf, signer, IMAGE);
    // The authority issues certificates for TLS clients, which may not sign code.
    expect((await shelf.judge(policyOf(rule), 'notation')).reason).toContain('certificate for other uses');
  });

  test('refuses a certificate of another authority, and one that signed another artifact', async () => {
    const [authority, another] = await Promise.all(
      ['A', 'B'].map(async (commonName) => CertificateAuthority.create({ commonName })),
    );
    const signer = await authority?.issueClient({ commonName: 'Release' });
    const rule = { kind: 'notation', name: 'ci', authorities: another?.credential.certificate ?? '' } as const;
    const shelf = new Shelf();
    if (signer !== undefined) putJws(shelf, signer, IMAGE);
    expect((await shelf.judge(policyOf(rule), 'notation')).reason).toContain('not issued by a trusted authority');
  });
});

test('a signature that makes no sense is one that is refused, and no error of the registry', async () => {
  const authority = await CertificateAuthority.create({ commonName: 'A' });
  const rule = { kind: 'notation', name: 'ci', authorities: authority.credential.certificate } as const;
  const shelf = new Shelf();
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  putJws(shelf, { certificate: 'AAAA', key }, IMAGE);
  expect(await shelf.judge(policyOf(rule), 'notation')).toMatchObject({
    trusted: false,
    reason: expect.stringContaining('cannot be verified') as string,
  });
});

describe('TrustGate', () => {
  const subject = {
    project: PROJECT,
    repository: REPOSITORY,
    artifact: { digest: IMAGE, accessoryType: undefined } as Artifact,
    actor: { principal: ANONYMOUS },
  };

  test('refuses an unsigned image only where the project wants signatures', async () => {
    await using world = await gateWorld({});
    await expect(world.gate.beforePull(subject)).resolves.toBeUndefined();
    await using strict = await gateWorld({ enable_content_trust_cosign: 'true' });
    await expect(strict.gate.beforePull(subject)).rejects.toMatchObject({
      class: 'FailedPrecondition',
      code: 'POLICY_UNSIGNED_COSIGN',
      message: expect.stringContaining('The image is not signed by cosign.') as string,
    });
  });

  test('lets pass signatures themselves, scanners, and signers who may push', async () => {
    await using world = await gateWorld({ enable_content_trust: 'true' });
    const signature = { digest: IMAGE, accessoryType: 'signature.cosign' } as Artifact;
    await expect(world.gate.beforePull({ ...subject, artifact: signature })).resolves.toBeUndefined();
    const robot: Principal = { kind: 'robot', id: 1, name: 'scanner', grants: [] };
    await expect(world.gate.beforePull({ ...subject, actor: { principal: robot } })).resolves.toBeUndefined();
    const signer = { principal: ANONYMOUS, userAgent: 'notation/1.3' };
    await expect(world.gate.beforePull({ ...subject, actor: signer })).rejects.toThrow('not signed by notation');
  });
});

test('TrustPolicies.set() says what is wrong with the roots of a cosign-identity rule', async () => {
  await using database = await temporaryDatabase();
  const policies = new TrustPolicies({ database, now: () => 1 });
  const sigstore = new TestSigstore();
  const { root: authorities, logKey } = sigstore;
  const trustedRoot = sigstore.trustedRoot();
  const set = async (roots: object): Promise<void> =>
    policies.set(1, { rules: [{ kind: 'cosign-identity', name: 'ci', subject: '*', ...roots }] } as TrustPolicy);
  await set({ trustedRoot });
  await set({ authorities, logKey: `${logKey}${new TestSigstore().logKey}` });
  for (const [roots, problem] of [
    [{}, 'has neither a trustedRoot nor authorities'],
    [{ trustedRoot, authorities }, 'leave out authorities and logKey'],
    [{ trustedRoot, logKey }, 'leave out authorities and logKey'],
    [{ trustedRoot: { signed: { _type: 'root' } } }, "is not sigstore's trusted_root.json"],
    [{ trustedRoot: { ...trustedRoot, certificateAuthorities: [] } }, 'names no certificate authority'],
    [{ trustedRoot: { ...trustedRoot, tlogs: [], timestampAuthorities: [] } }, 'neither a transparency log nor'],
    [{ trustedRoot: { ...trustedRoot, tlogs: [{}] } }, 'a key or a certificate that cannot be read'],
    [{ trustedRoot: { ...trustedRoot, certificateAuthorities: [{}] } }, 'a key or a certificate that cannot be read'],
    [{ authorities: 'x' }, 'has authorities that are not certificates in PEM form'],
    [{ authorities: logKey }, 'has authorities that are not certificates in PEM form'],
    [{ authorities, logKey: 'x' }, 'has no public key in PEM form'],
    [{ authorities, logKey: '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----' }, 'has no public key'],
  ] as const) {
    await expect(set(roots)).rejects.toMatchObject({
      class: 'InvalidArgument',
      code: 'TRUST_POLICY_INVALID',
      message: expect.stringMatching(`^The rule "ci" of the trust policy .*${problem}`) as string,
    });
  }
});

test('TrustPolicies.set() refuses keys that are none, private keys and names used twice', async () => {
  await using database = await temporaryDatabase();
  const policies = new TrustPolicies({ database, now: () => 1 });
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const rule = { kind: 'cosign-key', name: 'a', key: pem(publicKey) } as const;
  await policies.set(1, policyOf(rule));
  await expect(policies.find(1)).resolves.toEqual(policyOf(rule));
  await expect(policies.find(2)).resolves.toEqual({ rules: [] });
  await expect(policies.set(1, policyOf({ ...rule, key: 'x' }))).rejects.toThrow('has no public key');
  const secret = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  await expect(policies.set(1, policyOf({ ...rule, key: secret }))).rejects.toThrow('private key');
  const two = pem(publicKey) + pem(generateKeyPairSync('ed25519').publicKey);
  await expect(policies.set(1, policyOf({ ...rule, key: two }))).rejects.toThrow('has more than one key');
  await expect(policies.set(1, policyOf(rule, rule))).rejects.toThrow('the name of another rule');
});

async function gateWorld(metadata: Readonly<Record<string, string>>): Promise<AsyncDisposable & { gate: TrustGate }> {
  const database = await temporaryDatabase();
  const verifier = new TrustVerifier({
    database,
    signatures: new Shelf().signatures,
    collections: { isTarget: async () => false },
    now: Date.now,
  });
  const policies = new TrustPolicies({ database, now: Date.now });
  const isAllowed = async (principal: Principal, { action }: Permission): Promise<boolean> =>
    principal.kind === 'robot' && action === 'scanner-pull';
  const gate = new TrustGate({ policies, verifier, authorizer: { isAllowed }, metadataOf: async () => metadata });
  return { gate, [Symbol.asyncDispose]: async () => database[Symbol.asyncDispose]() };
}

function putSimpleSigning(
  shelf: Shelf,
  key: KeyObject | ((payload: Buffer) => Buffer),
  digest: ContentDigest,
  change: (payload: string) => string = (payload) => payload,
  hash: string | null = 'sha256',
): void {
  const payload = JSON.stringify({
    critical: {
      identity: { 'docker-reference': '' },
      image: { 'docker-manifest-digest': digest },
      type: 'cosign container image signature',
    },
    optional: null,
  });
  const bytes = Buffer.from(payload);
  const signature = (typeof key === 'function' ? key(bytes) : sign(hash, bytes, key)).toString('base64');
  const annotations = { 'dev.cosignproject.cosign/signature': signature };
  shelf.put([{ mediaType: SIMPLE_SIGNING_TYPE, bytes: Buffer.from(change(payload)), annotations }], {
    tag: sigTag(IMAGE),
  });
}

function putBundle(shelf: Shelf, key: Parameters<typeof sign>[2], predicateType: string): void {
  const statement = { subject: [{ name: '', digest: { sha256: IMAGE.slice(7) } }], predicateType, predicate: {} };
  const payload = Buffer.from(JSON.stringify(statement));
  const type = 'application/vnd.in-toto+json';
  const encoded = Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload]);
  const sig = sign('sha256', encoded, key).toString('base64');
  const mediaType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
  const bundle = {
    mediaType,
    verificationMaterial: { publicKey: { hint: '' } },
    dsseEnvelope: { payload: payload.toString('base64'), payloadType: type, signatures: [{ sig }] },
  };
  shelf.put([{ mediaType, bytes: Buffer.from(JSON.stringify(bundle)) }], { artifactType: mediaType });
}

function putJws(shelf: Shelf, signer: { readonly certificate: string; readonly key: string }, digest: string): void {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const header = encode({
    alg: 'ES256',
    crit: ['io.cncf.notary.signingScheme'],
    cty: 'application/vnd.cncf.notary.payload.v1+json',
    'io.cncf.notary.signingScheme': 'notary.x509',
    'io.cncf.notary.signingTime': new Date().toISOString(),
  });
  const payload = encode({ targetArtifact: { mediaType: MEDIA_TYPES.ociManifest, digest, size: 1 } });
  const key = { key: signer.key, dsaEncoding: 'ieee-p1363' } as const;
  const signature = sign('sha256', Buffer.from(`${header}.${payload}`), key).toString('base64url');
  const der = signer.certificate.replace(/-----[^-]+-----|\s/g, '');
  const envelope = { payload, protected: header, header: { x5c: [der] }, signature };
  const artifactType = 'application/vnd.cncf.notary.signature';
  shelf.put([{ mediaType: 'application/jose+json', bytes: Buffer.from(JSON.stringify(envelope)) }], { artifactType });
}

function policyOf(...rules: TrustPolicy['rules']): TrustPolicy {
  return { rules };
}

function pem(key: { export(options: { format: 'pem'; type: 'spki' }): string | Buffer }): string {
  return key.export({ format: 'pem', type: 'spki' }).toString();
}

import { generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOfBytes } from '@vic/oci';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestSigstore } from '../../packages/registry/trust/src/testing/test-sigstore.ts';
import { SigstoreSite } from './clients-cosign-sigstore.ts';
import { type Client, clientOf, missing, signIn } from './clients-programs.ts';
import { ClientSite, type Credentials } from './clients-site.ts';

const PATIENCE = 600_000;
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const NOT_SIGNED = 'The image is not signed by cosign.';

/** Where cosign puts signatures, by its options for signing and for verifying. */
const LAYOUTS = [
  { layout: 'tag', sign: [], verify: [] },
  { layout: 'referrer', sign: ['--registry-referrers-mode=oci-1-1'], verify: ['--experimental-oci11'] },
  { layout: 'bundle', sign: ['--new-bundle-format'], verify: ['--new-bundle-format', '--trusted-root=nobody.json'] },
] as const;

const absent = await missing('cosign', 'skopeo');
describe.skipIf(absent !== '')(`cosign${absent}`, () => {
  let site: ClientSite;
  beforeAll(async () => {
    site = await ClientSite.open();
  });
  afterAll(async () => site[Symbol.asyncDispose]());

  it.each(LAYOUTS)(
    'signs with a key ($layout): accepted with the key, refused unsigned, moved, tampered with and deleted',
    { timeout: PATIENCE },
    async ({ layout, sign, verify }) => {
      const project = `cosign-${layout}`;
      await site.project(project, { enable_content_trust_cosign: 'true' });
      const { cosign, publicKey } = await signer(await developer(project, `signe-${layout}`));
      await trust(project, [{ kind: 'cosign-key', name: 'release', key: publicKey }]);
      const signed = await pushed(`${project}/app:signed`);
      const unsigned = await pushed(`${project}/app:unsigned`);
      await expect(pull(`${project}/app:signed`)).rejects.toThrow(NOT_SIGNED);
      const image = `${site.host}/${project}/app@${signed}`;
      await cosign('sign', '--yes', '--tlog-upload=false', '--key=cosign.key', ...sign, image);
      await cosign('verify', '--insecure-ignore-tlog', '--key=cosign.pub', ...verify, image);
      await pull(`${project}/app:signed`);
      await expect(pull(`${project}/app:unsigned`)).rejects.toThrow('it has no signature');
      const refused = await site.send({ url: `/v2/${project}/app/manifests/unsigned`, headers: { accept: MANIFEST } });
      expect(refused).toMatchObject({ status: 412 });
      expect(refused.json()).toMatchObject({
        errors: [{ code: 'PROJECTPOLICYVIOLATION', message: expect.stringContaining(NOT_SIGNED) as string }],
      });

      const [signature = ''] = await signaturesOf(project, signed);
      const manifest = await manifestOf(project, signature);
      await putSignature(project, manifest, unsigned);
      await expect(pull(`${project}/app:unsigned`)).rejects.toThrow('is of another artifact');

      const tampered = await putTampered(project, manifest, signed);
      await site.api('DELETE', `/projects/${project}/repositories/app/artifacts/${signature}`);
      await expect(pull(`${project}/app:signed`)).rejects.toThrow('was made by another key');
      await site.api('DELETE', `/projects/${project}/repositories/app/artifacts/${tampered}`);
      await expect(pull(`${project}/app:signed`)).rejects.toThrow('it has no signature');
    },
  );

  it.each([
    ['P-384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    ['P-521', () => generateKeyPairSync('ec', { namedCurve: 'P-521' })],
    ['RSA', () => generateKeyPairSync('rsa', { modulusLength: 3072 })],
    ['Ed25519', () => generateKeyPairSync('ed25519')],
  ] as const)(
    'signs with a key of another kind that was imported (%s)',
    { timeout: PATIENCE },
    async (kind, generate) => {
      const project = `cosign-${kind.toLowerCase()}`;
      await site.project(project, { enable_content_trust_cosign: 'true' });
      const { cosign, home } = await signer();
      await writeFile(join(home, 'key.pem'), generate().privateKey.export({ format: 'pem', type: 'pkcs8' }));
      await cosign('import-key-pair', '--key=key.pem');
      const key = await readFile(join(home, 'import-cosign.pub'), 'utf8');
      await trust(project, [{ kind: 'cosign-key', name: 'release', key }]);
      for (const form of ['--new-bundle-format=false', '--new-bundle-format']) {
        const digest = await pushed(`${project}/app:v1`);
        await expect(pull(`${project}/app:v1`)).rejects.toThrow('it has no signature');
        const image = `${site.host}/${project}/app@${digest}`;
        await cosign('sign', '--yes', '--tlog-upload=false', '--key=import-cosign.key', form, image);
        await pull(`${project}/app:v1`);
      }
    },
  );

  it('signs an index, which vouches for the images of its platforms', { timeout: PATIENCE }, async () => {
    await site.project('cosign-index', { enable_content_trust_cosign: 'true' });
    const { cosign, publicKey } = await signer();
    await trust('cosign-index', [{ kind: 'cosign-key', name: 'release', key: publicKey }]);
    const digest = await pushed('cosign-index/app:v1', ['amd64', 'arm64']);
    await expect(pull('cosign-index/app:v1')).rejects.toThrow('it has no signature');
    const image = `${site.host}/cosign-index/app@${digest}`;
    await cosign('sign', '--yes', '--tlog-upload=false', '--key=cosign.key', image);
    // skopeo asks for the index, and then for the image of this machine's platform.
    await pull('cosign-index/app:v1');
  });

  it('attaches, attests, shows, copies and removes', { timeout: PATIENCE }, async () => {
    await site.project('cosign-more');
    await site.project('cosign-copy', { enable_content_trust_cosign: 'true' });
    const { cosign, home, publicKey } = await signer();
    await trust('cosign-copy', [{ kind: 'cosign-key', name: 'release', key: publicKey }]);
    const digest = await pushed('cosign-more/app:v1');
    const image = `${site.host}/cosign-more/app@${digest}`;
    await writeFile(join(home, 'sbom.json'), '{"spdxVersion":"SPDX-2.3"}');
    await cosign('attach', 'sbom', '--sbom=sbom.json', '--type=spdx', image);
    const attest = [
      'attest',
      '--yes',
      '--tlog-upload=false',
      '--key=cosign.key',
      '--predicate=sbom.json',
      '--type=spdxjson',
    ];
    await cosign(...attest, image);
    expect(await cosign('download', 'sbom', image)).toContain('SPDX-2.3');
    const verified = await cosign(
      'verify-attestation',
      '--insecure-ignore-tlog',
      '--key=cosign.pub',
      '--type=spdxjson',
      image,
    );
    expect(verified).toContain('application/vnd.in-toto+json');
    await cosign('sign', '--yes', '--tlog-upload=false', '--key=cosign.key', image);
    const tree = await cosign('tree', image);
    for (const suffix of ['sig', 'att', 'sbom']) expect(tree).toContain(`${digest.replace(':', '-')}.${suffix}`);

    await cosign('copy', image, `${site.host}/cosign-copy/app:v1`);
    await pull('cosign-copy/app:v1');
    expect(await cosign('tree', `${site.host}/cosign-copy/app:v1`)).toContain('.att');

    await cosign('clean', '--force', '--type=all', `${site.host}/cosign-copy/app:v1`);
    await expect(pull('cosign-copy/app:v1')).rejects.toThrow('it has no signature');
    expect(await cosign('tree', `${site.host}/cosign-copy/app:v1`)).not.toContain('.att');
  });

  it('attests in bundles, which do not approve of the image', { timeout: PATIENCE }, async () => {
    await site.project('cosign-attested', { enable_content_trust_cosign: 'true' });
    const { cosign, home, publicKey } = await signer();
    await trust('cosign-attested', [{ kind: 'cosign-key', name: 'release', key: publicKey }]);
    const digest = await pushed('cosign-attested/app:v1');
    const image = `${site.host}/cosign-attested/app@${digest}`;
    await writeFile(join(home, 'sbom.json'), '{"spdxVersion":"SPDX-2.3"}');
    const options = ['--yes', '--tlog-upload=false', '--key=cosign.key', '--new-bundle-format'];
    await cosign('attest', ...options, '--predicate=sbom.json', '--type=spdxjson', image);
    await expect(pull('cosign-attested/app:v1')).rejects.toThrow('is an attestation (https://spdx.dev/Document)');
    await cosign('sign', ...options, image);
    await pull('cosign-attested/app:v1');
    expect(await cosign('tree', '--experimental-oci11', image)).toContain(
      'application/vnd.dev.sigstore.bundle.v0.3+json',
    );
  });

  describe('without a key', () => {
    let instance: SigstoreSite;
    beforeAll(async () => {
      instance = await SigstoreSite.open();
    });
    afterAll(async () => instance[Symbol.asyncDispose]());

    it.each(LAYOUTS)(
      'signs by a certificate and a log ($layout): accepted by identity and issuer, refused for others',
      { timeout: PATIENCE },
      async ({ layout, sign, verify }) => {
        const project = `keyless-${layout}`;
        await site.project(project, { enable_content_trust_cosign: 'true' });
        const { cosign, home } = await signer();
        const { sigstore, url } = instance;
        const issuer = 'https://login.example.com';
        const trustedRoot = sigstore.trustedRoot();
        await writeFile(join(home, 'root.json'), JSON.stringify(trustedRoot));
        const digest = await pushed(`${project}/app:v1`);
        const image = `${site.host}/${project}/app@${digest}`;
        const options = [`--fulcio-url=${url}`, `--rekor-url=${url}`, '--trusted-root=root.json'];
        const token = `--identity-token=${instance.tokenFor('release@example.com', issuer)}`;
        await cosign('sign', '--yes', ...options, token, ...sign, image);
        const who = ['--certificate-identity=release@example.com', `--certificate-oidc-issuer=${issuer}`];
        await cosign(
          'verify',
          ...verify.filter((option) => !option.includes('nobody')),
          '--trusted-root=root.json',
          ...who,
          image,
        );

        const rule = { kind: 'cosign-identity', name: 'release', subject: '*@example.com', issuer };
        await trust(project, [{ ...rule, trustedRoot }]);
        await pull(`${project}/app:v1`);
        await trust(project, [{ ...rule, authorities: sigstore.authorities, logKey: sigstore.logKey }]);
        await pull(`${project}/app:v1`);
        await trust(project, [{ ...rule, trustedRoot, subject: '*@example.org' }]);
        await expect(pull(`${project}/app:v1`)).rejects.toThrow('was made by release@example.com, who is not named');
        await trust(project, [{ ...rule, trustedRoot, issuer: 'https://other.example.com' }]);
        await expect(pull(`${project}/app:v1`)).rejects.toThrow('whom the rule does not name');
        await trust(project, [{ ...rule, trustedRoot: new TestSigstore().trustedRoot() }]);
        await expect(pull(`${project}/app:v1`)).rejects.toThrow('is not trusted');
      },
    );

    it('signs by a log without a clock and a timestamp authority', { timeout: PATIENCE }, async () => {
      await site.project('keyless-timed', { enable_content_trust_cosign: 'true' });
      const { cosign, home } = await signer();
      const { sigstore, url } = instance;
      const issuer = 'https://login.example.com';
      const trustedRoot = sigstore.trustedRoot();
      await writeFile(join(home, 'root.json'), JSON.stringify(trustedRoot));
      const service = (path: string, version: number): string =>
        `url=${url}${path},api-version=${version},start-time=2024-01-01T00:00:00Z,operator=example.com`;
      await cosign(
        ...['signing-config', 'create', '--out=signing.json', '--rekor-config=ANY', '--tsa-config=ANY'],
        ...[`--fulcio=${service('', 1)}`, `--rekor=${service('', 2)}`, `--tsa=${service('/api/v1/timestamp', 1)}`],
        `--oidc-provider=${service('/auth', 1)}`,
      );
      const digest = await pushed('keyless-timed/app:v1');
      const image = `${site.host}/keyless-timed/app@${digest}`;
      const token = `--identity-token=${instance.tokenFor('release@example.com', issuer)}`;
      const form = ['--new-bundle-format', '--trusted-root=root.json'];
      await cosign('sign', '--yes', '--signing-config=signing.json', ...form, token, image);
      const who = ['--certificate-identity=release@example.com', `--certificate-oidc-issuer=${issuer}`];
      await cosign('verify', '--use-signed-timestamps', ...form, ...who, image);

      const rule = { kind: 'cosign-identity', name: 'release', subject: '*@example.com', issuer };
      await trust('keyless-timed', [{ ...rule, trustedRoot }]);
      await pull('keyless-timed/app:v1');
      await trust('keyless-timed', [{ ...rule, trustedRoot: { ...trustedRoot, timestampAuthorities: [] } }]);
      await expect(pull('keyless-timed/app:v1')).rejects.toThrow('RFC 3161');
    });
  });

  it('signs with a certificate of a company, without a log', { timeout: PATIENCE }, async () => {
    await site.project('cosign-company', { enable_content_trust_cosign: 'true' });
    const { cosign, home } = await signer();
    const company = new TestSigstore();
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = company.issueFor(publicKey, {
      certificate: { alternativeNames: [{ kind: 'email', value: 'release@example.com' }] },
    });
    const [leaf = '', ...chain] = pem.match(/-----BEGIN[\s\S]+?END CERTIFICATE-----\n/g) ?? [];
    await writeFile(join(home, 'leaf.pem'), leaf);
    await writeFile(join(home, 'chain.pem'), chain.join(''));
    await writeFile(join(home, 'key.pem'), privateKey.export({ format: 'pem', type: 'pkcs8' }));
    await cosign('import-key-pair', '--key=key.pem');
    const certificate = ['--key=import-cosign.key', '--certificate=leaf.pem', '--certificate-chain=chain.pem'];
    const rule = { kind: 'cosign-identity', name: 'release', subject: 'release@example.com' };
    for (const [tag, option, authorities] of [
      ['tag', '--new-bundle-format=false', company.root],
      ['bundle', '--new-bundle-format', company.authorities],
    ] as const) {
      const digest = await pushed(`cosign-company/app:${tag}`);
      const image = `${site.host}/cosign-company/app@${digest}`;
      await cosign('sign', '--yes', '--tlog-upload=false', option, ...certificate, image);
      await trust('cosign-company', [{ ...rule, authorities }]);
      await pull(`cosign-company/app:${tag}`);
      await trust('cosign-company', [{ ...rule, authorities: new TestSigstore().root }]);
      await expect(pull(`cosign-company/app:${tag}`)).rejects.toThrow('was not issued by a trusted authority');
      await trust('cosign-company', [{ ...rule, authorities, logKey: company.logKey }]);
      await expect(pull(`cosign-company/app:${tag}`)).rejects.toThrow('is not in the trusted transparency log');
    }
  });

  /** Somebody who may push to a project and not delete. */
  async function developer(project: string, username: string): Promise<Credentials> {
    const password = 'Developer1password';
    const user = { username, password, email: `${username}@example.com`, realname: username };
    await site.api('POST', '/users', user);
    await site.api('POST', `/projects/${project}/members`, { role_id: 2, member_user: { username } });
    return { username, password };
  }

  /** A cosign with a key of its own, signed in. */
  async function signer(credentials?: Credentials): Promise<{
    readonly cosign: Client;
    readonly home: string;
    readonly publicKey: string;
  }> {
    const home = await site.scratch();
    await signIn(site, 'cosign', { home, ...(credentials === undefined ? {} : { credentials }) });
    const cosign = await clientOf(site, 'cosign', {
      home,
      env: { COSIGN_PASSWORD: 'passphrase-of-tests', COSIGN_EXPERIMENTAL: '1' },
    });
    await cosign('generate-key-pair');
    // Bundles are only verified with some root, though a key needs none.
    await cosign('trusted-root', 'create', '--out=nobody.json');
    return { cosign, home, publicKey: await readFile(join(home, 'cosign.pub'), 'utf8') };
  }

  async function trust(project: string, rules: readonly object[]): Promise<void> {
    await site.api('PUT', `/projects/${project}/trust-policy`, { rules });
  }

  /** Pushes a new image; gives its digest. */
  async function pushed(image: string, architectures?: readonly string[]): Promise<string> {
    const home = await site.scratch();
    const skopeo = await clientOf(site, 'skopeo', { home });
    await signIn(site, 'skopeo', { home });
    const layout = await site.layout(architectures);
    await skopeo('copy', '--all', `oci:${layout}:multi`, `docker://${site.host}/${image}`);
    const [repository = '', tag = ''] = image.split(':');
    const [project, name] = repository.split('/');
    const found = await site.api('GET', `/projects/${project}/repositories/${name}/artifacts/${tag}`);
    return (found.json() as { readonly digest: string }).digest;
  }

  /** Pulls an image as somebody would who wants to run it. */
  async function pull(image: string): Promise<void> {
    const home = await site.scratch();
    const skopeo = await clientOf(site, 'skopeo', { home });
    await signIn(site, 'skopeo', { home });
    await skopeo('copy', `docker://${site.host}/${image}`, `dir:${join(home, 'out')}`);
  }

  async function signaturesOf(project: string, digest: string): Promise<readonly string[]> {
    const path = `/projects/${project}/repositories/app/artifacts/${digest}/accessories`;
    const found = (await site.api('GET', path)).json() as readonly { readonly digest: string; readonly type: string }[];
    return found.filter(({ type }) => type === 'signature.cosign').map((accessory) => accessory.digest);
  }

  async function manifestOf(project: string, digest: string): Promise<SignatureManifest> {
    const read = await site.send({ url: `/v2/${project}/app/manifests/${digest}`, headers: { accept: MANIFEST } });
    return read.json() as SignatureManifest;
  }

  /** Brings a signature back over something else than what was signed. */
  async function putTampered(project: string, manifest: SignatureManifest, of: string): Promise<string> {
    const [layer] = manifest.layers;
    const blob = await site.send({ url: `/v2/${project}/app/blobs/${layer?.digest ?? ''}` });
    const signed = blob.bytes.toString();
    const bundle = signed.includes('dsseEnvelope')
      ? (JSON.parse(signed) as { dsseEnvelope: { payload: string } })
      : null;
    if (bundle !== null) {
      const payload = `${Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString()} `;
      bundle.dsseEnvelope.payload = Buffer.from(payload).toString('base64');
    }
    const body = Buffer.from(bundle === null ? `${signed} ` : JSON.stringify(bundle));
    const digest = digestOfBytes(body);
    const begun = await site.send({ method: 'POST', url: `/v2/${project}/app/blobs/uploads/` });
    const url = new URL(begun.headers['location'] ?? '', `https://${site.host}`);
    url.searchParams.set('digest', digest);
    const headers = { 'content-type': 'application/octet-stream' };
    expect(await site.send({ method: 'PUT', url: url.href, body, headers })).toMatchObject({ status: 201 });
    return putSignature(project, { ...manifest, layers: [{ ...layer, digest, size: body.length }] }, of);
  }

  /** Puts a signature where one of that artifact would be; gives its digest. */
  async function putSignature(project: string, manifest: SignatureManifest, of: string): Promise<string> {
    const { subject } = manifest;
    const document = subject === undefined ? manifest : { ...manifest, subject: { ...subject, digest: of } };
    const body = Buffer.from(JSON.stringify(document));
    const reference = subject === undefined ? `${of.replace(':', '-')}.sig` : digestOfBytes(body);
    const url = `/v2/${project}/app/manifests/${reference}`;
    const headers = { 'content-type': MANIFEST };
    expect(await site.send({ method: 'PUT', url, body, headers })).toMatchObject({ status: 201 });
    return digestOfBytes(body);
  }
});

interface SignatureManifest {
  readonly subject?: object;
  readonly layers: readonly { readonly digest: string; readonly size: number; readonly [key: string]: unknown }[];
}

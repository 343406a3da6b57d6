import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOfBytes } from '@vic/oci';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, clientOf, missing, signIn } from './clients-programs.ts';
import { ClientSite, type Credentials } from './clients-site.ts';

const PATIENCE = 600_000;
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const NOT_SIGNED = 'The image is not signed by notation.';

let site: ClientSite;
beforeAll(async () => {
  site = await ClientSite.open();
});
afterAll(async () => site[Symbol.asyncDispose]());

const noOras = await missing('oras');
describe.skipIf(noOras !== '')(`oras${noOras}`, () => {
  it('pushes, attaches, discovers, pulls and deletes artifacts', { timeout: PATIENCE }, async () => {
    await site.project('oras');
    const home = await site.scratch();
    const oras = await clientOf(site, 'oras', { home, env: { SSL_CERT_FILE: '' } });
    const trust = ['--ca-file', site.authorityFile];
    const artifact = `${site.host}/oras/config:v1`;
    await writeFile(join(home, 'settings.json'), '{"colour":"blue"}');
    await writeFile(join(home, 'sbom.json'), '{"spdxVersion":"SPDX-2.3"}');
    await writeFile(join(home, 'note.txt'), 'about the bill of materials');
    await signIn(site, 'oras', { home, options: trust, env: { SSL_CERT_FILE: '' } });
    const settings = 'settings.json:application/json';
    await oras('push', ...trust, '--artifact-type=application/vnd.example.settings', artifact, settings);
    await oras(
      'attach',
      ...trust,
      '--artifact-type=application/spdx+json',
      artifact,
      'sbom.json:application/spdx+json',
    );
    const [sbom] = await referrers(oras, trust, artifact);
    expect(sbom).toMatchObject({ artifactType: 'application/spdx+json' });
    const bill = `${site.host}/oras/config@${sbom?.digest ?? ''}`;
    await oras('attach', ...trust, '--artifact-type=text/note', bill, 'note.txt:text/plain');
    expect(await referrers(oras, trust, bill)).toMatchObject([{ artifactType: 'text/note' }]);
    expect(await referrers(oras, [...trust, '--artifact-type=text/none'], artifact)).toEqual([]);
    await oras('pull', ...trust, '--output', join(home, 'out'), artifact);
    await oras('pull', ...trust, '--output', join(home, 'out'), bill);
    expect(await readFile(join(home, 'out', 'settings.json'), 'utf8')).toBe('{"colour":"blue"}');
    expect(await readFile(join(home, 'out', 'sbom.json'), 'utf8')).toContain('SPDX-2.3');
    await oras(
      'cp',
      ...['--from', '--to'].flatMap((side) => [`${side}-ca-file`, site.authorityFile]),
      '--recursive',
      artifact,
      `${site.host}/oras/copy:v1`,
    );
    expect(await referrers(oras, trust, `${site.host}/oras/copy:v1`)).toMatchObject([{ digest: sbom?.digest }]);
    await oras('manifest', 'delete', ...trust, '--force', bill);
    expect(await referrers(oras, trust, artifact)).toEqual([]);
    await oras('manifest', 'delete', ...trust, '--force', artifact);
    await expect(oras('resolve', ...trust, artifact)).rejects.toThrow(/not found/);
  });
});

const noNotation = await missing('notation', 'skopeo');
describe.skipIf(noNotation !== '')(`notation${noNotation}`, () => {
  it.each(['jws', 'cose'] as const)(
    'signs (%s): accepted with the certificate, refused unsigned, tampered and when the signature is deleted',
    { timeout: PATIENCE },
    async (format) => {
      const project = `notation-${format}`;
      await site.project(project, { enable_content_trust: 'true' });
      const home = await site.scratch();
      const { notation, certificate } = await signer(home);
      await site.api('PUT', `/projects/${project}/trust-policy`, {
        rules: [{ kind: 'notation', name: 'release', authorities: certificate }],
      });
      const signed = await pushed(`${project}/app:signed`);
      const unsigned = await pushed(`${project}/app:unsigned`);
      await expect(pull(`${project}/app:signed`)).rejects.toThrow(NOT_SIGNED);
      await notation('sign', `--signature-format=${format}`, `${site.host}/${project}/app@${signed}`);
      await pull(`${project}/app:signed`);
      await expect(pull(`${project}/app:unsigned`)).rejects.toThrow(NOT_SIGNED);
      const refused = await site.send({ url: `/v2/${project}/app/manifests/unsigned`, headers: { accept: MANIFEST } });
      expect(refused).toMatchObject({ status: 412 });
      expect(refused.json()).toMatchObject({
        errors: [{ code: 'PROJECTPOLICYVIOLATION', message: expect.stringContaining(NOT_SIGNED) as string }],
      });

      const signature = await onlySignature(project, signed);
      await moveSignature(project, signature, unsigned);
      await expect(pull(`${project}/app:unsigned`)).rejects.toThrow('is of another artifact');

      await site.api('DELETE', `/projects/${project}/repositories/app/artifacts/${signature}`);
      await expect(pull(`${project}/app:signed`)).rejects.toThrow(NOT_SIGNED);
      await notation('sign', `--signature-format=${format}`, `${site.host}/${project}/app@${signed}`);
      await pull(`${project}/app:signed`);
      await site.api('DELETE', `/projects/${project}/repositories/app/artifacts/${signed}`);
      const { tags } = (await site.send({ url: `/v2/${project}/app/tags/list` })).json() as { tags: string[] };
      expect(tags).toEqual(['unsigned']);
    },
  );

  it('of somebody else is refused', { timeout: PATIENCE }, async () => {
    await site.project('notation-other', { enable_content_trust: 'true' });
    const [ours, theirs] = [await signer(await site.scratch()), await signer(await site.scratch())];
    await site.api('PUT', '/projects/notation-other/trust-policy', {
      rules: [{ kind: 'notation', name: 'release', authorities: ours.certificate }],
    });
    const digest = await pushed('notation-other/app:v1');
    await theirs.notation('sign', `${site.host}/notation-other/app@${digest}`);
    await expect(pull('notation-other/app:v1')).rejects.toThrow('not issued by a trusted authority');
    await ours.notation('sign', `${site.host}/notation-other/app@${digest}`);
    await pull('notation-other/app:v1');
  });
});

describe.skipIf(noNotation !== '')(`notation of a developer${noNotation}`, () => {
  it('signs twice, though its lists of signatures stay behind', { timeout: PATIENCE }, async () => {
    await site.project('notation-dev', { enable_content_trust: 'true' });
    const credentials = await developer('notation-dev', 'signe');
    const { notation, certificate } = await signer(await site.scratch(), credentials);
    await site.api('PUT', '/projects/notation-dev/trust-policy', {
      rules: [{ kind: 'notation', name: 'release', authorities: certificate }],
    });
    const digest = await pushed('notation-dev/app:v1');
    await notation('sign', `${site.host}/notation-dev/app@${digest}`);
    const signature = await onlySignature('notation-dev', digest);
    await notation('sign', `${site.host}/notation-dev/app@${digest}`);
    await site.api('DELETE', `/projects/notation-dev/repositories/app/artifacts/${signature}`);
    expect(await onlySignature('notation-dev', digest)).not.toBe(signature);
    await pull('notation-dev/app:v1');
  });
});

const noNotary = await missing('notary', 'skopeo');
describe.skipIf(noNotary !== '')(`notary${noNotary}`, () => {
  it('publishes targets that a project trusts, and takes them back', { timeout: PATIENCE }, async () => {
    await site.project('notary', { enable_content_trust: 'true' });
    await site.api('PUT', '/projects/notary/trust-policy', { rules: [{ kind: 'notary', name: 'collections' }] });
    const digest = await pushed('notary/app:v1');
    const { bytes } = await manifest('notary/app', digest);
    await expect(pull('notary/app:v1')).rejects.toThrow(NOT_SIGNED);
    const home = await site.scratch();
    const { username, password } = site.administrator;
    const notary = await clientOf(site, 'notary', {
      home,
      env: { ...passphrases(), NOTARY_AUTH: Buffer.from(`${username}:${password}`).toString('base64') },
    });
    const server = ['--server', site.notaryUrl, '--tlscacert', site.authorityFile, '--trustDir', join(home, 'trust')];
    const collection = `${site.host}/notary/app`;
    await notary(...server, 'init', '--publish', collection);
    const hash = digest.replace('sha256:', '');
    await notary(...server, 'addhash', '--publish', collection, 'v1', String(bytes.length), '--sha256', hash);
    expect(await notary(...server, 'list', collection)).toContain(hash);
    await pull('notary/app:v1');
    await notary(...server, 'remove', '--publish', collection, 'v1');
    await expect(pull('notary/app:v1')).rejects.toThrow(NOT_SIGNED);
  });

  it('is refused with a wrong password', { timeout: PATIENCE }, async () => {
    await site.project('notary-closed');
    const home = await site.scratch();
    const notary = await clientOf(site, 'notary', {
      home,
      env: { ...passphrases(), NOTARY_AUTH: Buffer.from('admin:Wrong1password').toString('base64') },
    });
    const server = ['--server', site.notaryUrl, '--tlscacert', site.authorityFile, '--trustDir', join(home, 'trust')];
    await expect(notary(...server, 'init', '--publish', `${site.host}/notary-closed/app`)).rejects.toThrow(
      /401|denied|unauthorized/i,
    );
  });
});

function passphrases(): Readonly<Record<string, string>> {
  const roles = ['ROOT', 'TARGETS', 'SNAPSHOT', 'DELEGATION'];
  return Object.fromEntries(roles.map((role) => [`NOTARY_${role}_PASSPHRASE`, 'passphrase-of-tests']));
}

interface Descriptor {
  readonly digest: string;
  readonly artifactType: string;
}

async function referrers(oras: Client, options: readonly string[], subject: string): Promise<readonly Descriptor[]> {
  const answer = JSON.parse(await oras('discover', ...options, '--depth=1', '--format=json', subject)) as {
    readonly referrers?: readonly Descriptor[];
  };
  return answer.referrers ?? [];
}

/** A notation with a key of its own, signed in, and its certificate. */
async function signer(
  home: string,
  credentials: Credentials = site.administrator,
): Promise<{ readonly notation: Client; readonly certificate: string }> {
  const notation = await clientOf(site, 'notation', {
    home,
    env: {
      XDG_CONFIG_HOME: join(home, 'config'),
      NOTATION_USERNAME: credentials.username,
      NOTATION_PASSWORD: credentials.password,
    },
  });
  await notation('cert', 'generate-test', '--default', 'release.example');
  const keys = join(home, 'config', 'notation', 'localkeys');
  const file = (await readdir(keys)).find((name) => name.endsWith('.crt')) ?? '';
  return { notation, certificate: await readFile(join(keys, file), 'utf8') };
}

/** Somebody who may push to a project and not delete. */
async function developer(project: string, username: string): Promise<Credentials> {
  const password = 'Developer1password';
  const user = { username, password, email: `${username}@example.com`, realname: username };
  await site.api('POST', '/users', user);
  await site.api('POST', `/projects/${project}/members`, { role_id: 2, member_user: { username } });
  return { username, password };
}

/** Pushes a new image; gives its digest. */
async function pushed(image: string): Promise<string> {
  const home = await site.scratch();
  const skopeo = await clientOf(site, 'skopeo', { home });
  await signIn(site, 'skopeo', { home });
  await skopeo('copy', `oci:${await site.layout()}:multi`, `docker://${site.host}/${image}`);
  const [repository = '', tag = ''] = image.split(':');
  // A tag is listed whether or not it may be pulled.
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

/** A manifest, read as a signer may. */
async function manifest(repository: string, digest: string): Promise<{ readonly bytes: Buffer }> {
  const headers = { accept: MANIFEST, 'user-agent': 'notation/1' };
  return site.send({ url: `/v2/${repository}/manifests/${digest}`, headers });
}

async function onlySignature(project: string, digest: string): Promise<string> {
  const url = `/v2/${project}/app/referrers/${digest}`;
  const { manifests } = (await site.send({ url })).json() as { readonly manifests: readonly Descriptor[] };
  expect(manifests).toMatchObject([{ artifactType: 'application/vnd.cncf.notary.signature' }]);
  return manifests[0]?.digest ?? '';
}

/** Says of a signature that it is another artifact's. */
async function moveSignature(project: string, signature: string, to: string): Promise<void> {
  const { bytes } = await manifest(`${project}/app`, signature);
  const document = JSON.parse(bytes.toString()) as { readonly subject: object };
  const forged = Buffer.from(JSON.stringify({ ...document, subject: { ...document.subject, digest: to } }));
  const url = `/v2/${project}/app/manifests/${digestOfBytes(forged)}`;
  const answer = await site.send({ method: 'PUT', url, body: forged, headers: { 'content-type': MANIFEST } });
  expect(answer.status).toBe(201);
}

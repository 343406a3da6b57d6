import { copyFile, mkdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientOf, missing, signIn } from './clients-programs.ts';
import { ClientSite, type Credentials } from './clients-site.ts';

const PATIENCE = 600_000;

let site: ClientSite;
beforeAll(async () => {
  site = await ClientSite.open();
});
afterAll(async () => site[Symbol.asyncDispose]());

const noDocker = (await missing('docker')) || (process.getuid?.() === 0 ? '' : ' (needs root)');
describe.skipIf(noDocker !== '')(`docker without an engine${noDocker}`, () => {
  /** Docker looks for authorities in no other place. */
  const certificates = (): string => join('/etc/docker/certs.d', site.host);
  const env = { DOCKER_HOST: 'unix:///nonexistent/docker.sock' };

  beforeAll(async () => {
    await mkdir(certificates(), { recursive: true });
    await writeFile(join(certificates(), 'ca.crt'), site.authority);
  });
  afterAll(async () => {
    await rm(certificates(), { recursive: true, force: true });
    // Whatever else is there stays.
    await rmdir('/etc/docker/certs.d').catch(() => undefined);
  });

  const login = async (home: string, credentials: Credentials): Promise<string> =>
    signIn(site, 'docker', { home, credentials, env: { ...env, SSL_CERT_FILE: '' } });
  const known = async (home: string): Promise<string[]> => {
    const file = JSON.parse(await readFile(join(home, '.docker/config.json'), 'utf8')) as { readonly auths?: object };
    return Object.keys(file.auths ?? {});
  };

  it('logs in as the administrator and out again, and not with a wrong password', { timeout: PATIENCE }, async () => {
    const home = await site.scratch();
    await expect(login(home, { username: 'admin', password: 'Wrong1password' })).rejects.toThrow(/unauthorized/);
    await expect(readFile(join(home, '.docker/config.json'))).rejects.toThrow('ENOENT');
    expect(await login(home, site.administrator)).toContain('Login Succeeded');
    expect(await known(home)).toEqual([site.host]);
    const docker = await clientOf(site, 'docker', { home, env });
    await docker('logout', site.host);
    expect(await known(home)).toEqual([]);
  });

  it('logs in as a robot, until the robot is disabled', { timeout: PATIENCE }, async () => {
    const home = await site.scratch();
    await site.project('docker-robot');
    const made = await site.api('POST', '/robots', {
      name: 'ci',
      level: 'project',
      duration: 1,
      permissions: [
        { kind: 'project', namespace: 'docker-robot', access: [{ resource: 'repository', action: 'pull' }] },
      ],
    });
    const robot = made.json() as { readonly id: number; readonly name: string; readonly secret: string };
    const credentials = { username: robot.name, password: robot.secret };
    expect(await login(home, credentials)).toContain('Login Succeeded');
    const current = (await site.api('GET', `/robots/${robot.id}`)).json() as object;
    await site.api('PUT', `/robots/${robot.id}`, { ...current, disable: true });
    await expect(login(home, credentials)).rejects.toThrow(/unauthorized/);
  });

  it('logs in with a personal access token, until the token is removed', { timeout: PATIENCE }, async () => {
    const home = await site.scratch();
    const made = await site.api('POST', '/users/1/tokens', { name: 'laptop', duration: 1 });
    const { id, token } = made.json() as { readonly id: number; readonly token: string };
    const credentials = { username: 'admin', password: token };
    expect(await login(home, credentials)).toContain('Login Succeeded');
    await site.api('DELETE', `/users/1/tokens/${id}`);
    await expect(login(home, credentials)).rejects.toThrow(/unauthorized/);
  });
});

const noSkopeo = await missing('skopeo');
describe.skipIf(noSkopeo !== '')(`skopeo${noSkopeo}`, () => {
  it('copies an index in and out, inspects and deletes', { timeout: PATIENCE }, async () => {
    await site.project('skopeo');
    const home = await site.scratch();
    const skopeo = await clientOf(site, 'skopeo', { home, env: { SSL_CERT_FILE: '' } });
    const certificates = join(site.authorityFile, '..');
    await signIn(site, 'skopeo', { home, options: [`--cert-dir=${certificates}`], env: { SSL_CERT_FILE: '' } });
    const image = `docker://${site.host}/skopeo/app`;
    const from = await site.layout(['amd64', 'arm64']);
    await skopeo('copy', '--all', `--dest-cert-dir=${certificates}`, `oci:${from}:multi`, `${image}:v1`);
    await skopeo('copy', '--all', `--dest-cert-dir=${certificates}`, `oci:${from}:multi`, `${image}:v2`);
    const raw = await skopeo('inspect', '--raw', `--cert-dir=${certificates}`, `${image}:v1`);
    expect(JSON.parse(raw)).toMatchObject({
      manifests: [{ platform: { architecture: 'amd64' } }, { platform: { architecture: 'arm64' } }],
    });
    const arm = await skopeo('--override-arch=arm64', 'inspect', `--cert-dir=${certificates}`, `${image}:v1`);
    expect(JSON.parse(arm)).toMatchObject({ Architecture: 'arm64', RepoTags: ['v1', 'v2'] });
    await skopeo('copy', '--all', `--src-cert-dir=${certificates}`, `${image}:v1`, `dir:${join(home, 'out')}`);
    expect(await readFile(join(home, 'out', 'manifest.json'), 'utf8')).toBe(raw);
    await skopeo('delete', `--cert-dir=${certificates}`, `${image}:v1`);
    // Deleting by way of its digest takes every tag along.
    await expect(skopeo('inspect', `--cert-dir=${certificates}`, `${image}:v2`)).rejects.toThrow(/manifest unknown/i);
  });

  it('syncs from a directory into the registry, and from there on', { timeout: PATIENCE }, async () => {
    await site.project('sync-one');
    await site.project('sync-two');
    const home = await site.scratch();
    const skopeo = await clientOf(site, 'skopeo', { home, env: { SSL_CERT_FILE: '' } });
    const certificates = join(site.authorityFile, '..');
    await signIn(site, 'skopeo', { home, options: [`--cert-dir=${certificates}`], env: { SSL_CERT_FILE: '' } });
    for (const tag of ['v1', 'v2']) {
      const to = join(home, 'images', `app:${tag}`);
      await mkdir(to, { recursive: true });
      await skopeo('copy', `oci:${await site.layout()}:multi`, `dir:${to}`);
    }
    const options = ['sync', `--src-cert-dir=${certificates}`, `--dest-cert-dir=${certificates}`];
    await skopeo(...options, '--src=dir', '--dest=docker', join(home, 'images'), `${site.host}/sync-one`);
    await skopeo(...options, '--src=docker', '--dest=docker', `${site.host}/sync-one/app`, `${site.host}/sync-two`);
    const tags = await skopeo('list-tags', `--cert-dir=${certificates}`, `docker://${site.host}/sync-two/app`);
    expect(JSON.parse(tags)).toMatchObject({ Tags: ['v1', 'v2'] });
  });
});

const noPodman = await missing('podman', 'buildah');
describe.skipIf(noPodman !== '')(`buildah and podman${noPodman}`, () => {
  it('build from scratch, push, pull and remove', { timeout: PATIENCE }, async () => {
    await site.project('podman');
    const home = await site.scratch();
    const certificates = `--cert-dir=${join(site.authorityFile, '..')}`;
    const store = ['--storage-driver=vfs', `--root=${join(home, 'root')}`, `--runroot=${join(home, 'run')}`];
    const env = { SSL_CERT_FILE: '' };
    const [buildah, podman] = [
      await clientOf(site, 'buildah', { home, env }),
      await clientOf(site, 'podman', { home, env }),
    ];
    await writeFile(join(home, 'hello'), 'hello from a tiny image');
    const image = `${site.host}/podman/tiny:v1`;
    const name = (await buildah(...store, 'from', 'scratch')).trim();
    await buildah(...store, 'copy', name, 'hello', '/hello');
    await buildah(...store, 'config', '--cmd', '/hello', '--label', 'by=ada', name);
    await buildah(...store, 'commit', name, image);
    await buildah(...store, 'rm', name);
    await expect(buildah(...store, 'push', certificates, image)).rejects.toThrow(/denied|unauthorized/);
    await signIn(site, 'buildah', { home, options: [certificates], env });
    await buildah(...store, 'push', certificates, image);
    await buildah(...store, 'rmi', image);
    await podman('logout', site.host);
    await expect(podman(...store, 'pull', certificates, image)).rejects.toThrow(/denied|unauthorized/);
    await signIn(site, 'podman', { home, options: [certificates], env });
    await podman(...store, 'pull', '--quiet', certificates, image);
    const label = await podman(...store, 'image', 'inspect', '--format', '{{index .Labels "by"}}', image);
    expect(label.trim()).toBe('ada');
    await podman(...store, 'tag', image, `${site.host}/podman/tiny:v2`);
    await podman(...store, 'push', certificates, `${site.host}/podman/tiny:v2`);
    const tags = (await site.send({ url: '/v2/podman/tiny/tags/list' })).json();
    expect(tags).toEqual({ name: 'podman/tiny', tags: ['v1', 'v2'] });
    await podman(...store, 'rmi', '--all', '--force');
  });
});

const noCrane = await missing('crane');
describe.skipIf(noCrane !== '')(`crane${noCrane}`, () => {
  it('pushes an index, reads, changes, copies and deletes', { timeout: PATIENCE }, async () => {
    await site.project('crane');
    await site.project('crane-copy');
    const home = await site.scratch();
    const crane = await clientOf(site, 'crane', { home });
    const image = `${site.host}/crane/app`;
    const layout = await flat(await site.layout(['amd64', 'arm64']));
    await expect(crane('push', '--index', layout, `${image}:v1`)).rejects.toThrow('401 Unauthorized');
    await signIn(site, 'crane', { home });
    await crane('push', '--index', layout, `${image}:v1`);
    const digest = (await crane('digest', `${image}:v1`)).trim();
    const one = (await crane('digest', '--platform=linux/arm64', `${image}:v1`)).trim();
    expect(JSON.parse(await crane('manifest', `${image}:v1`))).toMatchObject({
      manifests: [{ platform: { architecture: 'amd64' } }, { digest: one, platform: { architecture: 'arm64' } }],
    });
    await crane('mutate', '--label', 'stage=test', '--tag', `${image}:changed`, `${image}@${one}`);
    expect(JSON.parse(await crane('config', `${image}:changed`))).toMatchObject({
      architecture: 'arm64',
      config: { Labels: { stage: 'test' } },
    });
    await crane('copy', `${image}:v1`, `${site.host}/crane-copy/app:v1`);
    await crane('validate', '--remote', `${site.host}/crane-copy/app:v1`);
    expect((await crane('digest', `${site.host}/crane-copy/app:v1`)).trim()).toBe(digest);
    // A part of an index stays as long as the index does.
    await expect(crane('delete', `${image}@${one}`)).rejects.toThrow('the deleting artifact is referenced by others');
    await crane('delete', `${image}@${digest}`);
    expect((await crane('ls', image)).trim()).toBe('changed');
  });
});

/** Makes the index of a layout the layout's own: crane pushes that one. */
async function flat(layout: string): Promise<string> {
  const root = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as {
    readonly manifests: readonly { readonly digest: string }[];
  };
  const inner = join(layout, 'blobs', (root.manifests[0]?.digest ?? '').replace(':', '/'));
  await copyFile(inner, join(layout, 'index.json'));
  return layout;
}

import { join } from 'node:path';
import { run } from '@vic/process';
import { temporaryDirectory } from '@vic/testkit';
import { describe, expect, it } from 'vitest';
import { writeOciLayout } from './testing/oci-layout.ts';
import { startTestRegistry } from './testing/test-registry.ts';

const missing = await run('skopeo', ['--version']).then(
  () => false,
  () => true,
);

describe.skipIf(missing)(`skopeo${missing ? ' (not installed)' : ''}`, () => {
  it('copies a multi-architecture image in and out, lists, inspects and deletes', async () => {
    await using registry = await startTestRegistry({ open: false });
    await using scratch = await temporaryDirectory('vic-skopeo-');
    const layout = join(scratch.path, 'layout');
    await writeOciLayout(layout, ['amd64', 'arm64']);
    const image = `docker://${registry.host}/library/multi:v1`;
    await skopeo('copy', '--all', '--dest-tls-verify=false', '--dest-creds=ada:secret', `oci:${layout}:multi`, image);

    const raw = await skopeo('inspect', '--raw', ...READ, image);
    expect((JSON.parse(raw) as { manifests: object[] }).manifests).toHaveLength(2);
    const inspected = JSON.parse(await skopeo('inspect', ...READ, image)) as {
      Architecture: string;
      RepoTags: string[];
    };
    expect(inspected).toMatchObject({ Architecture: 'amd64', RepoTags: ['v1'] });

    const copy = join(scratch.path, 'copy');
    await skopeo('copy', '--all', '--src-tls-verify=false', '--src-creds=ada:secret', image, `oci:${copy}:multi`);
    await skopeo('copy', '--src-tls-verify=false', '--src-creds=ada:secret', image, `dir:${join(scratch.path, 'dir')}`);

    await skopeo('delete', ...READ, image);
    expect(await registry.store.resolve('library/multi', 'v1')).toBeUndefined();
  });

  it('pushes the older format of Docker, too, and mounts blobs from one repository into another', async () => {
    await using registry = await startTestRegistry();
    await using scratch = await temporaryDirectory('vic-skopeo-');
    const layout = join(scratch.path, 'layout');
    await writeOciLayout(layout, ['amd64']);
    const insecure = ['--src-tls-verify=false', '--dest-tls-verify=false'];
    const [first, second] = [`docker://${registry.host}/library/one:v1`, `docker://${registry.host}/library/two:v1`];
    await skopeo('copy', '--format=v2s2', ...insecure, `oci:${layout}:multi`, first);
    await skopeo('copy', ...insecure, first, second);
    const [one, two] = [
      await registry.store.resolve('library/one', 'v1'),
      await registry.store.resolve('library/two', 'v1'),
    ];
    expect(one?.manifestMediaType).toBe('application/vnd.docker.distribution.manifest.v2+json');
    expect(two?.digest).toBe(one?.digest);
    expect(await skopeo('list-tags', '--tls-verify=false', `docker://${registry.host}/library/two`)).toContain('"v1"');
  });

  it('syncs a repository into a directory', async () => {
    await using registry = await startTestRegistry();
    await using scratch = await temporaryDirectory('vic-skopeo-');
    const layout = join(scratch.path, 'layout');
    await writeOciLayout(layout, ['amd64']);
    for (const tag of ['a', 'b']) {
      const image = `docker://${registry.host}/library/synced:${tag}`;
      await skopeo('copy', '--dest-tls-verify=false', `oci:${layout}:multi`, image);
    }
    const target = join(scratch.path, 'synced');
    const source = `${registry.host}/library/synced`;
    await skopeo('sync', '--src-tls-verify=false', '--src=docker', '--dest=dir', source, target);
    expect(await run('ls', [target]).then(({ stdout }) => stdout.trim().split('\n'))).toEqual(['synced:a', 'synced:b']);
  });
});

const READ = ['--tls-verify=false', '--creds=ada:secret'];

async function skopeo(...args: readonly string[]): Promise<string> {
  const { stdout } = await run('skopeo', ['--insecure-policy', ...args]);
  return stdout;
}

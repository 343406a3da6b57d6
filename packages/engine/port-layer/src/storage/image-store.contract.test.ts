import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { RegistryClient } from '@vic/imagec';
import type { PullEvent } from '@vic/imagec';
import { makeImage, pushImage, startRegistry } from '@vic/imagec/testing';
import { silentLogger } from '@vic/log';
import { parseReference } from '@vic/oci';
import { run } from '@vic/process';
import { temporaryDirectory } from '@vic/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ImageStore } from './index.ts';
import type { ImageUser } from './index.ts';
import { treeOfDirectory, treeOfDisk } from './testing/file-tree.ts';
import { LocalDisks, LocalFiles } from './testing/local-hosts.ts';

const MiB = 1024 * 1024;
const LAYERS = 32;
const never = new AbortController().signal;
const cleanup = new AsyncDisposableStack();
let domain = '';
let layout = '';
let directory = '';

interface Host extends AsyncDisposable {
  readonly files: LocalFiles;
  readonly disks: LocalDisks;
  readonly users: Map<string, ImageUser[]>;
  open(options?: { maxDepth?: number }): Promise<ImageStore>;
}

async function host(): Promise<Host> {
  const temporary = await temporaryDirectory();
  const registry = new RegistryClient({ insecureRegistries: ['127.0.0.0/8'], resumeDelayMs: 10 });
  const files = new LocalFiles(join(temporary.path, 'datastore'));
  const disks = new LocalDisks(join(temporary.path, 'datastore'));
  const users = new Map<string, ImageUser[]>();
  return {
    files,
    disks,
    users,
    open: async (options = {}) =>
      ImageStore.open(
        { files, disks, registry, logger: silentLogger(), usersOf: (id) => users.get(id) ?? [] },
        {
          spoolDirectory: join(temporary.path, 'spool'),
          baseImageBytes: 64 * MiB,
          layerSpaceBytes: 256 * MiB,
          ...options,
        },
        never,
      ),
    [Symbol.asyncDispose]: async () => {
      await registry[Symbol.asyncDispose]();
      await temporary[Symbol.asyncDispose]();
    },
  };
}

beforeAll(async () => {
  const temporary = cleanup.use(await temporaryDirectory());
  const registry = cleanup.use(await startRegistry());
  ({ domain } = registry);
  directory = temporary.path;
  layout = join(directory, 'layout');
  await run('python3', [join(import.meta.dirname, 'fixtures/make-layers.py'), directory, String(LAYERS)]);
  const layers = (await readdir(directory))
    .filter((name) => name.endsWith('.tar'))
    .toSorted()
    .map((name) => join(directory, name));
  await makeImage({ layout, tag: 'many', layers, config: ['--config.cmd', 'sh', '--config.env', 'A=b'] });
  await makeImage({ layout, tag: 'few', layers: layers.slice(0, 3) });
  await makeImage({ layout, tag: 'five', layers: layers.slice(0, 5) });
  for (const tag of ['many', 'few', 'five']) await pushImage(`${layout}:${tag}`, `${domain}/lib/${tag}:1`);
});

afterAll(async () => cleanup.disposeAsync());

test.each([24, 3])(
  'an image of many layers shows what umoci unpacks, with at most %i disks',
  { timeout: 300_000 },
  async (maxDepth) => {
    await using machine = await host();
    const store = await machine.open({ maxDepth });
    const events: PullEvent[] = [];
    const image = await store.pull(parseReference(`${domain}/lib/many:1`), {
      signal: never,
      progress: (event) => void events.push(event),
    });
    expect(image.layers).toHaveLength(LAYERS);
    expect(machine.disks.created).toBe(maxDepth);
    await using spool = await temporaryDirectory();
    const { tree, layers } = await treeOfDisk(join(machine.disks.root, image.topDiskPath), spool.path);
    expect(layers).toBe(LAYERS);
    await run('umoci', ['unpack', '--image', `${layout}:many`, join(spool.path, 'bundle')]);
    const expected = await treeOfDirectory(join(spool.path, 'bundle/rootfs'));
    expect([...tree.keys()].toSorted()).toEqual([...expected.keys()].toSorted());
    for (const [path, entry] of expected) expect({ path, ...tree.get(path) }).toEqual({ path, ...entry });
    expect(expected.size).toBeGreaterThan(100);
    expect(Object.keys(tree.get('capable')?.xattrs ?? {}).toSorted()).toEqual(['security.capability', 'user.note']);
    expect(events.filter((event) => event.kind === 'layer' && event.status === 'Pull complete')).toHaveLength(LAYERS);
  },
);

test('ids, sizes and digests are those skopeo and umoci see; a second pull fetches nothing', async () => {
  await using machine = await host();
  const store = await machine.open();
  const reference = parseReference(`${domain}/lib/few:1`);
  const image = await store.pull(reference, { signal: never });
  const raw = await run('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${domain}/lib/few:1`]);
  const manifest = JSON.parse(raw.stdout) as { config: { digest: string } };
  expect(image.id).toBe(manifest.config.digest);
  const inspected = await run('skopeo', ['inspect', '--tls-verify=false', `docker://${domain}/lib/few:1`]);
  const { Digest: digest } = JSON.parse(inspected.stdout) as { Digest: string };
  expect(image.repoDigests).toEqual([`${domain}/lib/few@${digest}`]);
  expect(image.repoTags).toEqual([`${domain}/lib/few:1`]);
  const events: PullEvent[] = [];
  await store.pull(reference, { signal: never, progress: (event) => void events.push(event) });
  expect(events[0]).toEqual({ kind: 'from', repository: 'lib/few', tag: '1' });
  expect(events.filter((event) => event.kind === 'layer').every((event) => event.status === 'Already exists')).toBe(
    true,
  );
  expect(events.at(-1)).toMatchObject({ kind: 'done', isNew: false });
  expect(events.at(-2)).toEqual({ kind: 'digest', digest });
});

test('images share layers, concurrent pulls share work, and removal keeps what others need', async () => {
  await using machine = await host();
  const store = await machine.open();
  const pull = async (name: string) => store.pull(parseReference(`${domain}/lib/${name}:1`), { signal: never });
  const [few, five] = await Promise.all([pull('few'), pull('five'), pull('few'), pull('five')]);
  expect(machine.disks.created).toBe(5);
  expect(few?.layers).toEqual(five?.layers.slice(0, 3));
  const removed = await store.remove(`${domain}/lib/five:1`, { force: false }, never);
  expect(removed.slice(0, 3)).toEqual([
    { untagged: `${domain}/lib/five:1` },
    { untagged: five?.repoDigests[0] },
    { deleted: five?.id },
  ]);
  expect(removed.slice(3)).toEqual(
    five?.layers
      .slice(3)
      .toReversed()
      .map(({ chainId }) => ({ deleted: chainId })),
  );
  expect(await machine.files.list('images/layers')).toHaveLength(3);
  await store.remove(few?.id ?? '', { force: false }, never);
  expect(await machine.files.list('images/layers')).toEqual([]);
  expect(store.list()).toEqual([]);
  await pull('few');
  expect(store.list()).toHaveLength(1);
});

test('a pull given up leaves those who joined it undisturbed', async () => {
  await using machine = await host();
  const store = await machine.open();
  const giveUp = new AbortController();
  const reference = parseReference(`${domain}/lib/five:1`);
  const first = store.pull(reference, {
    signal: giveUp.signal,
    progress: (event) =>
      event.kind === 'layer' && event.status === 'Download complete' && giveUp.abort(new Error('given up')),
  });
  const second = store.pull(reference, { signal: never });
  await expect(first).rejects.toThrow('given up');
  expect((await second).layers).toHaveLength(5);
});

test('a crash before the marker leaves nothing visible; the next start sweeps and the retry goes on', async () => {
  await using machine = await host();
  const store = await machine.open();
  const reference = parseReference(`${domain}/lib/five:1`);
  const layers = (await store.pull(parseReference(`${domain}/lib/few:1`), { signal: never })).layers;
  const undo = machine.files.delete.bind(machine.files);
  machine.files.failWrites = /layer\.json$/;
  machine.files.delete = async () => undefined;
  await expect(store.pull(reference, { signal: never })).rejects.toThrow('the datastore is gone');
  machine.files.failWrites = undefined;
  machine.files.delete = undo;
  expect((await machine.files.list('images/layers')).length).toBeGreaterThan(layers.length);
  const again = await machine.open();
  expect(await machine.files.list('images/layers')).toHaveLength(layers.length);
  expect(again.list().map(({ repoTags }) => repoTags)).toEqual([[`${domain}/lib/few:1`]]);
  expect(again.get(`${domain}/lib/few:1`)).toEqual(store.get(`${domain}/lib/few:1`));
  const before = machine.disks.created;
  expect((await again.pull(reference, { signal: never })).layers).toHaveLength(5);
  expect(machine.disks.created - before).toBe(2);
});

test('names, tags and conflicts follow Docker', async () => {
  await using machine = await host();
  const store = await machine.open();
  const image = await store.pull(parseReference(`${domain}/lib/few:1`), { signal: never });
  const short = image.id.slice(7, 19);
  await store.tag(short, parseReference('mine/app'), never);
  await store.tag(image.id, parseReference('busybox:x'), never);
  expect(store.get('mine/app:latest').id).toBe(image.id);
  expect(store.get('docker.io/library/busybox:x').id).toBe(image.id);
  expect(store.get(image.repoDigests[0] ?? '').id).toBe(image.id);
  expect(store.get(image.id.slice(7, 10)).repoTags).toEqual([`${domain}/lib/few:1`, 'busybox:x', 'mine/app:latest']);
  expect(() => store.get('nothing')).toThrow('No such image: nothing:latest');
  await expect(store.remove(short, { force: false }, never)).rejects.toThrow(
    `conflict: unable to delete ${short} (must be forced) - image is referenced in multiple repositories`,
  );
  expect(await store.remove('busybox:x', { force: false }, never)).toEqual([{ untagged: 'busybox:x' }]);
  expect(await store.remove('mine/app', { force: false }, never)).toEqual([{ untagged: 'mine/app:latest' }]);
  machine.users.set(image.id, [{ containerId: 'c'.repeat(64), running: false }]);
  await expect(store.remove(`${domain}/lib/few:1`, { force: false }, never)).rejects.toThrow(
    '(must force) - container cccccccccccc is using',
  );
  await expect(store.remove(short, { force: false }, never)).rejects.toThrow(
    '(must be forced) - image is being used by stopped container',
  );
  machine.users.set(image.id, [{ containerId: 'd'.repeat(64), running: true }]);
  await expect(store.remove(short, { force: true }, never)).rejects.toThrow(
    '(cannot be forced) - image is being used by running container dddddddddddd',
  );
  await store.remove(`${domain}/lib/few:1`, { force: true }, never);
  expect(store.get(short).repoTags).toEqual([]);
  machine.users.clear();
  await store.remove(short, { force: false }, never);
  expect(store.list()).toEqual([]);
});

test('the scratch disk holds a mountable containerfs', async () => {
  await using machine = await host();
  const store = await machine.open();
  await using spool = await temporaryDirectory();
  const raw = join(spool.path, 'scratch.raw');
  await run('qemu-img', ['convert', '-O', 'raw', join(machine.disks.root, store.scratch.path), raw]);
  await run('dd', [`if=${raw}`, `of=${raw}.ext4`, 'bs=1M', 'skip=1', 'count=64', 'conv=sparse']);
  const checked = await run('e2fsck', ['-fn', `${raw}.ext4`]);
  expect(checked.stdout).toContain('containerfs: ');
});

import { copyFile, link, mkdir, readdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { temporaryDirectory } from '@vic/testkit';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Datastores } from './index.ts';
import { parseDatastorePath } from './datastore-path.ts';

const never = new AbortController().signal;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let datastores: Datastores;
let root: string;

/** Any character. That of fast-check for this (`binary`) makes a table of a million of them first. */
const character = fc
  .oneof(
    fc.integer({ min: 0, max: 0x7f }),
    fc.integer({ min: 0, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0x10ffff }),
  )
  .map((code) => String.fromCodePoint(code));

const open = (): Promise<Datastores> =>
  Datastores.open([
    { name: 'ds1', directory: join(directory.path, 'one') },
    { name: 'ds 2', directory: join(directory.path, 'two') },
  ]);
const put = (path: string, content: string): Promise<{ sizeBytes: number; created: boolean }> =>
  datastores.write(path, Readable.from([Buffer.from(content)]), never);
const get = async (path: string, range?: { start: number; endExclusive: number }): Promise<string> =>
  text(await datastores.read(path, range));

beforeEach(async () => {
  directory = await temporaryDirectory();
  root = join(directory.path, 'one');
  datastores = await open();
});
afterEach(async () => directory[Symbol.asyncDispose]());

describe('datastore paths', () => {
  it.each([
    'ds1/file',
    '[ds1]x/../../etc/passwd',
    '[ds1] ../x',
    '[ds1] a/../b',
    '[ds1] a\\b',
    '[ds1] a\0b',
    '[ds1] .vic-staging/x',
    '[ds1] a\nb',
    `[ds1] ${'x'.repeat(256)}`,
    `[ds1] ${'x/'.repeat(2000)}`,
    '[] x',
    '[a/b] x',
    '[ds1] \ud800',
  ])('refuses %j', async (path) => {
    await expect(datastores.stat(path)).rejects.toMatchObject({ class: 'InvalidArgument' });
  });

  it('names an unknown datastore', async () => {
    await expect(datastores.stat('[other] x')).rejects.toMatchObject({ code: 'DATASTORE_NOT_FOUND' });
  });

  it('resolve() stays inside the datastore for arbitrary text', () => {
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 60 }), (rest) => {
        let hostPath = root;
        try {
          hostPath = datastores.resolve(`[ds1] ${rest}`);
        } catch {
          // Refused: nothing to compare.
        }
        expect(`${hostPath}/`.startsWith(`${root}/`)).toBe(true);
      }),
    );
  });

  it('parseDatastorePath() reads the forms vSphere clients send', () => {
    expect(parseDatastorePath('[ds 2] a//b/./c.vmdk').components).toEqual(['a', 'b', 'c.vmdk']);
    expect(parseDatastorePath('[ds1]').components).toEqual([]);
    expect(parseDatastorePath('[ds1]a').components).toEqual(['a']);
  });
});

describe('files', () => {
  it('write() replaces a file and tells whether it is new; read() gives ranges of it', async () => {
    expect(await put('[ds1] a.txt', 'hello')).toEqual({ sizeBytes: 5, created: true });
    expect(await put('[ds1] a.txt', 'goodbye')).toEqual({ sizeBytes: 7, created: false });
    expect(await get('[ds1] a.txt')).toBe('goodbye');
    expect(await get('[ds1] a.txt', { start: 2, endExclusive: 4 })).toBe('od');
    expect(await get('[ds1] a.txt', { start: 5, endExclusive: 99 })).toBe('ye');
    expect(await get('[ds1] a.txt', { start: 9, endExclusive: 12 })).toBe('');
  });

  it('write() that breaks off leaves the old file and nothing else', async () => {
    await put('[ds1] a.txt', 'old');
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from('new');
        throw new Error('connection lost');
      })(),
    );
    await expect(datastores.write('[ds1] a.txt', broken, never)).rejects.toThrow('connection lost');
    expect(await get('[ds1] a.txt')).toBe('old');
    expect(await readdir(join(root, '.vic-staging'))).toEqual([]);
  });

  it('write() stops at its signal', async () => {
    const controller = new AbortController();
    const endless = new Readable({ read: () => undefined });
    const writing = datastores.write('[ds1] a.txt', endless, controller.signal);
    endless.push('x');
    controller.abort(new Error('client gone'));
    await expect(writing).rejects.toThrow(/abort/i);
    await expect(datastores.stat('[ds1] a.txt')).rejects.toMatchObject({ class: 'NotFound' });
  });

  it('list() and stat() tell files, folders and disks apart and hide everything else', async () => {
    await datastores.makeDirectory('[ds1] vm/sub', { parents: true });
    await put('[ds1] vm/vm.vmx', 'x');
    await datastores.createDisk('[ds1] vm/vm.vmdk', 1024 * 1024);
    await symlink('/etc/passwd', join(root, 'vm/link'));
    const files = await datastores.list('[ds1] vm');
    expect(files.map((file) => [file.name, file.kind])).toEqual([
      ['sub', 'directory'],
      ['vm.vmdk', 'disk'],
      ['vm.vmx', 'file'],
    ]);
    expect((await datastores.list('[ds1]')).map((file) => file.name)).toEqual(['vm']);
    await expect(datastores.list('[ds1] vm/vm.vmx')).rejects.toMatchObject({ class: 'InvalidArgument' });
    await expect(datastores.list('[ds1] nope')).rejects.toMatchObject({ class: 'NotFound' });
  });

  it('makeDirectory() wants its parents, unless told to make them', async () => {
    await expect(datastores.makeDirectory('[ds1] a/b', { parents: false })).rejects.toMatchObject({
      class: 'NotFound',
    });
    await datastores.makeDirectory('[ds1] a/b', { parents: true });
    await expect(datastores.makeDirectory('[ds1] a/b', { parents: true })).rejects.toMatchObject({
      class: 'AlreadyExists',
    });
  });

  it('never follows symbolic links', async () => {
    await writeFile(join(directory.path, 'secret'), 'secret');
    await mkdir(join(directory.path, 'outside'));
    await symlink(join(directory.path, 'secret'), join(root, 'file'));
    await symlink(join(directory.path, 'outside'), join(root, 'folder'));
    for (const attempt of [
      () => datastores.read('[ds1] file'),
      () => put('[ds1] folder/x', 'x'),
      () => datastores.list('[ds1] folder'),
      () => datastores.stat('[ds1] folder/x'),
      () => datastores.makeDirectory('[ds1] folder/x/y', { parents: true }),
      () => datastores.delete('[ds1] folder/x'),
      () => datastores.createDisk('[ds1] folder/x.vmdk', 512),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ class: 'InvalidArgument' });
    }
    expect(await readdir(join(directory.path, 'outside'))).toEqual([]);
  });

  it('move() and copy() refuse to replace unless forced', async () => {
    await put('[ds1] a', 'a');
    await put('[ds 2] b', 'b');
    await expect(datastores.copy('[ds1] a', '[ds 2] b', { force: false })).rejects.toMatchObject({
      class: 'AlreadyExists',
    });
    await datastores.copy('[ds1] a', '[ds 2] b', { force: true });
    expect(await get('[ds 2] b')).toBe('a');
    await datastores.move('[ds1] a', '[ds 2] c', { force: false });
    expect(await get('[ds 2] c')).toBe('a');
    await expect(datastores.stat('[ds1] a')).rejects.toMatchObject({ class: 'NotFound' });
  });

  it('delete() removes a folder with everything in it, but never a datastore', async () => {
    await datastores.makeDirectory('[ds1] a/b', { parents: true });
    await put('[ds1] a/b/c', 'c');
    await datastores.delete('[ds1] a');
    expect(await datastores.list('[ds1]')).toEqual([]);
    await expect(datastores.delete('[ds1]')).rejects.toMatchObject({ class: 'InvalidArgument' });
    await expect(datastores.delete('[ds1] a')).rejects.toMatchObject({ class: 'NotFound' });
  });

  it('open() clears what a crash left half-made', async () => {
    await mkdir(join(root, '.vic-staging'));
    await writeFile(join(root, '.vic-staging/half'), 'x');
    await open();
    expect(await readdir(root)).toEqual([]);
  });

  it('datastores() reports name, directory and space', async () => {
    const [first] = await datastores.datastores();
    expect(first).toMatchObject({ name: 'ds1', directory: root });
    expect(first?.capacityBytes).toBeGreaterThan(first?.freeBytes ?? Infinity);
  });
});

describe('disks', () => {
  it('a child reads through to its parent and protects it', async () => {
    await datastores.createDisk('[ds1] base.vmdk', 8 * 2 ** 30);
    await datastores.makeDirectory('[ds 2] vm', { parents: false });
    await datastores.createChildDisk('[ds 2] vm/disk.vmdk', '[ds1] base.vmdk');
    expect(await datastores.diskInfo('[ds 2] vm/disk.vmdk')).toMatchObject({
      capacityBytes: 8 * 2 ** 30,
      parent: '[ds1] base.vmdk',
    });
    const conflict = { class: 'Conflict', message: '[ds1] base.vmdk is in use: [ds 2] vm/disk.vmdk is a child of it.' };
    await expect(datastores.deleteDisk('[ds1] base.vmdk')).rejects.toMatchObject(conflict);
    await expect(datastores.delete('[ds1] base.vmdk')).rejects.toMatchObject(conflict);
    await expect(datastores.move('[ds1] base.vmdk', '[ds1] b.vmdk', { force: false })).rejects.toMatchObject(conflict);
    await expect(datastores.extendDisk('[ds1] base.vmdk', 9 * 2 ** 30)).rejects.toMatchObject(conflict);
    await datastores.deleteDisk('[ds 2] vm/disk.vmdk');
    await datastores.deleteDisk('[ds1] base.vmdk');
  });

  it('knows the children of disks again after a restart', async () => {
    await datastores.createDisk('[ds1] base.vmdk', 1024);
    await datastores.createChildDisk('[ds1] child.vmdk', '[ds1] base.vmdk');
    datastores = await open();
    await expect(datastores.deleteDisk('[ds1] base.vmdk')).rejects.toMatchObject({ class: 'Conflict' });
  });

  it('delete() refuses a folder whose disks have children elsewhere, and takes one whose children are inside', async () => {
    await datastores.makeDirectory('[ds1] images', { parents: false });
    await datastores.createDisk('[ds1] images/a.vmdk', 1024);
    await datastores.createChildDisk('[ds1] images/b.vmdk', '[ds1] images/a.vmdk');
    await datastores.createChildDisk('[ds1] c.vmdk', '[ds1] images/b.vmdk');
    await expect(datastores.delete('[ds1] images')).rejects.toMatchObject({ class: 'Conflict' });
    await datastores.delete('[ds1] c.vmdk');
    await datastores.delete('[ds1] images');
  });

  it('createDisk() refuses sizes that cannot be and names that are no disks', async () => {
    for (const size of [0, -512, 513, Number.NaN, 2 ** 63, 63 * 2 ** 40]) {
      await expect(datastores.createDisk('[ds1] a.vmdk', size)).rejects.toMatchObject({ class: 'InvalidArgument' });
    }
    await expect(datastores.createDisk('[ds1] a.txt', 512)).rejects.toMatchObject({ class: 'InvalidArgument' });
    await datastores.createDisk('[ds1] a.vmdk', 512);
    await expect(datastores.createDisk('[ds1] a.vmdk', 512)).rejects.toMatchObject({ class: 'AlreadyExists' });
    await expect(datastores.createChildDisk('[ds1] b.vmdk', '[ds1] none.vmdk')).rejects.toMatchObject({
      class: 'NotFound',
    });
  });

  it('refuses uploads under the name of a disk that are none, and renaming files into disks', async () => {
    await expect(put('[ds1] evil.vmdk', 'not a disk')).rejects.toMatchObject({ code: 'DATASTORE_NOT_A_DISK' });
    await put('[ds1] evil.txt', 'not a disk');
    for (const act of ['move', 'copy'] as const) {
      await expect(datastores[act]('[ds1] evil.txt', '[ds1] evil.vmdk', { force: true })).rejects.toMatchObject({
        class: 'InvalidArgument',
      });
    }
    await link(join(root, 'evil.txt'), join(root, 'planted.vmdk'));
    await expect(datastores.diskInfo('[ds1] planted.vmdk')).rejects.toMatchObject({ code: 'DATASTORE_NOT_A_DISK' });
  });

  it('refuses a disk whose chain of parents is a loop', async () => {
    await datastores.createDisk('[ds1] a.vmdk', 1024);
    await datastores.createChildDisk('[ds1] b.vmdk', '[ds1] a.vmdk');
    await copyFile(join(root, 'b.vmdk'), join(root, 'x.vmdk'));
    await rename(join(root, 'x.vmdk'), join(root, 'a.vmdk'));
    await expect(datastores.diskInfo('[ds1] b.vmdk')).rejects.toMatchObject({ code: 'DATASTORE_NOT_A_DISK' });
  });
});

import { execFile } from 'node:child_process';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { temporaryDirectory } from '@vic/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Datastores } from './index.ts';

const execute = promisify(execFile);
const qemuImg = async (...args: string[]): Promise<string> => (await execute('qemu-img', args)).stdout;
const qemuIo = async (file: string, command: string): Promise<string> =>
  (await execute('qemu-io', ['-f', 'qcow2', '-c', command, file])).stdout;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let root: string;
let datastores: Datastores;

beforeEach(async () => {
  directory = await temporaryDirectory();
  root = join(directory.path, 'one');
  datastores = await Datastores.open([{ name: 'ds1', directory: root }]);
});
afterEach(async () => directory[Symbol.asyncDispose]());

describe('disks, as QEMU sees them', () => {
  it.each([512, 2 ** 30, 8 * 2 ** 30 + 512, 5 * 2 ** 40, 62 * 2 ** 40])(
    'are sound when empty, with %d bytes',
    async (size) => {
      await datastores.createDisk('[ds1] a.vmdk', size);
      await datastores.createChildDisk('[ds1] b.vmdk', '[ds1] a.vmdk');
      for (const name of ['a', 'b']) {
        const file = join(root, `${name}.vmdk`);
        expect(await qemuImg('check', '-f', 'qcow2', file)).toContain('No errors were found');
        const info = JSON.parse(await qemuImg('info', '-f', 'qcow2', '--output', 'json', file));
        expect(info).toMatchObject({ 'virtual-size': size, format: 'qcow2' });
        expect(info['backing-filename']).toBe(name === 'b' ? './a.vmdk' : undefined);
        expect((await stat(file)).blocks * 512).toBeLessThan(64 * 1024);
      }
    },
  );

  it('a grandchild in another folder reads its ancestors, and what it writes stays its own', async () => {
    await datastores.makeDirectory('[ds1] x:y/z', { parents: true });
    await datastores.createDisk('[ds1] a.vmdk', 2 ** 24);
    await qemuIo(join(root, 'a.vmdk'), 'write -P 0x61 0 64k');
    await datastores.createChildDisk('[ds1] x:y/b.vmdk', '[ds1] a.vmdk');
    await qemuIo(join(root, 'x:y/b.vmdk'), 'write -P 0x62 64k 64k');
    await datastores.createChildDisk('[ds1] x:y/z/c.vmdk', '[ds1] x:y/b.vmdk');
    const c = join(root, 'x:y/z/c.vmdk');
    await qemuIo(c, 'write -P 0x63 128k 64k');
    for (const command of ['read -P 0x61 0 64k', 'read -P 0x62 64k 64k', 'read -P 0x63 128k 64k']) {
      expect(await qemuIo(c, command)).not.toContain('Pattern verification failed');
    }
    expect(await qemuIo(join(root, 'a.vmdk'), 'read -P 0 64k 192k')).not.toContain('Pattern verification failed');
    expect(await qemuImg('check', '-f', 'qcow2', c)).toContain('No errors were found');
  });

  it('a copy stands alone and has the same contents', async () => {
    await datastores.createDisk('[ds1] a.vmdk', 2 ** 24);
    await qemuIo(join(root, 'a.vmdk'), 'write -P 0x61 0 64k');
    await datastores.createChildDisk('[ds1] b.vmdk', '[ds1] a.vmdk');
    await datastores.copyDisk('[ds1] b.vmdk', '[ds1] c.vmdk');
    expect((await datastores.diskInfo('[ds1] c.vmdk')).parent).toBeUndefined();
    expect(
      await qemuImg('compare', '-f', 'qcow2', '-F', 'qcow2', join(root, 'b.vmdk'), join(root, 'c.vmdk')),
    ).toContain('identical');
  });

  it('extendDisk() makes a disk larger and never smaller', async () => {
    await datastores.createDisk('[ds1] a.vmdk', 2 ** 30);
    await datastores.extendDisk('[ds1] a.vmdk', 600 * 2 ** 30);
    expect((await datastores.diskInfo('[ds1] a.vmdk')).capacityBytes).toBe(600 * 2 ** 30);
    expect(await qemuImg('check', '-f', 'qcow2', join(root, 'a.vmdk'))).toContain('No errors were found');
    await expect(datastores.extendDisk('[ds1] a.vmdk', 2 ** 30)).rejects.toMatchObject({ class: 'InvalidArgument' });
  });

  it('moving a disk or its folder keeps the way to its parent', async () => {
    await datastores.createDisk('[ds1] a.vmdk', 2 ** 24);
    await qemuIo(join(root, 'a.vmdk'), 'write -P 0x61 0 64k');
    await datastores.makeDirectory('[ds1] p/q', { parents: true });
    await datastores.createChildDisk('[ds1] b.vmdk', '[ds1] a.vmdk');
    await datastores.move('[ds1] b.vmdk', '[ds1] p/q/b.vmdk', { force: false });
    await datastores.createChildDisk('[ds1] p/c.vmdk', '[ds1] p/q/b.vmdk');
    await datastores.move('[ds1] p', '[ds1] r', { force: false });
    await datastores.makeDirectory('[ds1] deep', { parents: true });
    await datastores.move('[ds1] r', '[ds1] deep/r', { force: false });
    expect((await datastores.diskInfo('[ds1] deep/r/c.vmdk')).parent).toBe('[ds1] deep/r/q/b.vmdk');
    expect(await qemuIo(join(root, 'deep/r/c.vmdk'), 'read -P 0x61 0 64k')).not.toContain('failed');
    await expect(datastores.deleteDisk('[ds1] a.vmdk')).rejects.toMatchObject({ class: 'Conflict' });
  });

  it('takes an uploaded disk that stands alone and refuses those that would read other files', async () => {
    const secret = join(directory.path, 'secret');
    await writeFile(secret, 'x'.repeat(65_536));
    const made = (name: string): string => join(directory.path, name);
    await qemuImg('create', '-f', 'qcow2', made('good.qcow2'), '1M');
    await qemuImg('create', '-f', 'qcow2', '-b', secret, '-F', 'raw', made('raw.qcow2'));
    await qemuImg('create', '-f', 'qcow2', '-b', made('good.qcow2'), '-F', 'qcow2', made('absolute.qcow2'));
    await qemuImg('create', '-f', 'qcow2', '-o', `data_file=${secret},data_file_raw=on`, made('data.qcow2'), '64K');
    const upload = async (name: string): Promise<unknown> =>
      datastores.write('[ds1] up.vmdk', Readable.from([await readFile(made(name))]), new AbortController().signal);
    for (const name of ['raw.qcow2', 'absolute.qcow2', 'data.qcow2']) {
      await expect(upload(name)).rejects.toMatchObject({ code: 'DATASTORE_NOT_A_DISK' });
    }
    await upload('good.qcow2');
    expect((await datastores.diskInfo('[ds1] up.vmdk')).capacityBytes).toBe(2 ** 20);
  });

  it('a full datastore is told as such, and nothing is left behind', async () => {
    const small = join(directory.path, 'small');
    await datastores.makeDirectory('[ds1] unused', { parents: false });
    await execute('mkdir', [small]);
    await execute('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small]);
    try {
      const full = await Datastores.open([{ name: 'full', directory: small }]);
      const content = Readable.from(Array.from({ length: 32 }, () => Buffer.alloc(65_536)));
      await expect(full.write('[full] big', content, new AbortController().signal)).rejects.toMatchObject({
        class: 'ResourceExhausted',
        message: 'There is no space left on the datastore for [full] big.',
      });
      expect(await full.list('[full]')).toEqual([]);
      expect((await full.datastores())[0]?.freeBytes).toBeGreaterThan(900_000);
    } finally {
      await execute('umount', [small]);
    }
  });
});

import { createReadStream } from 'node:fs';
import { copyFile, mkdir, open, readFile, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { containerFsPartition, encodePartitionTable, layerPartition } from '@vic/oci';
import type { Partition } from '@vic/oci';
import { run } from '@vic/process';

const MIB = 1024 * 1024;
const DISK_BYTES = 256 * MIB;
const SCRATCH_BYTES = 96 * MIB;
const SECTOR_BYTES = 512;

/** Makes a container's disk with two layers, busybox below and a few odd files above; gives its path. */
export async function makeContainerDisk(directory: string): Promise<string> {
  const disk = join(directory, 'container.raw');
  const scratch = join(directory, 'scratch.ext4');
  await writeFile(scratch, '');
  await truncate(scratch, SCRATCH_BYTES);
  await run('mke2fs', ['-q', '-t', 'ext4', '-L', 'containerfs', '-O', '^has_journal', scratch]);
  const partitions: Partition[] = [containerFsPartition(SCRATCH_BYTES)];
  const contents = [scratch];
  for (const [index, fill] of [fillBase, fillTop].entries()) {
    const layer = join(directory, `layer${index}.sqfs`);
    await makeLayer(join(directory, `layer${index}`), layer, fill);
    partitions.push(layerPartition(index + 1, (await stat(layer)).size, partitions, DISK_BYTES));
    contents.push(layer);
  }
  await writeFile(disk, '');
  await truncate(disk, DISK_BYTES);
  const table = encodePartitionTable(partitions, DISK_BYTES);
  await writeAt(disk, 0, table.primary);
  await writeAt(disk, table.backupOffsetBytes, table.backup);
  for (const [index, partition] of partitions.entries())
    await copyAt(contents[index] ?? '', disk, partition.firstSector * SECTOR_BYTES);
  return disk;
}

async function fillBase(root: string): Promise<void> {
  for (const name of ['bin', 'etc', 'root', 'tmp', 'home/app']) await mkdir(join(root, name), { recursive: true });
  await copyFile('/bin/busybox', join(root, 'bin/busybox'));
  const { stdout } = await run('/bin/busybox', ['--list']);
  for (const applet of stdout.trim().split('\n')) {
    if (applet !== 'busybox') await symlink('busybox', join(root, 'bin', applet));
  }
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n');
  await writeFile(join(root, 'etc/group'), 'root:x:0:\napp:x:1000:\nvideo:x:44:app\n');
  await writeFile(join(root, 'both'), 'base\n');
}

async function fillTop(root: string): Promise<void> {
  await mkdir(join(root, 'opt'), { recursive: true });
  await writeFile(join(root, 'both'), 'top\n');
  await writeFile(join(root, 'opt/plain'), 'not a program\n', { mode: 0o644 });
  await writeFile(join(root, 'opt/garbage'), '\x7fGARBAGE', { mode: 0o755 });
}

async function makeLayer(root: string, layer: string, fill: (root: string) => Promise<void>): Promise<void> {
  await mkdir(root, { recursive: true });
  await fill(root);
  const archive = `${layer}.tar`;
  await run('tar', ['--owner=0', '--group=0', '--numeric-owner', '-C', root, '-cf', archive, '.']);
  await run('tar2sqfs', ['-q', '-f', '-c', 'lz4', layer], { input: await readFile(archive) });
}

async function writeAt(path: string, offset: number, bytes: Uint8Array): Promise<void> {
  await using file = await open(path, 'r+');
  await file.write(bytes, 0, bytes.length, offset);
}

/** Copies without the zeros, so that the disk stays small. */
async function copyAt(from: string, to: string, offset: number): Promise<void> {
  await using target = await open(to, 'r+');
  let at = offset;
  for await (const chunk of createReadStream(from, { highWaterMark: 64 * 1024 })) {
    const bytes: Buffer = chunk;
    if (bytes.some((byte) => byte !== 0)) await target.write(bytes, 0, bytes.length, at);
    at += bytes.length;
  }
}

import { execFileSync } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDirectory } from '@vic/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  containerFsPartition,
  encodePartitionTable,
  GPT_ALIGNMENT_BYTES,
  layerPartition,
  parsePartitionTable,
  SECTOR_BYTES,
} from './index.ts';
import type { Partition } from './index.ts';

const MiB = 1024 * 1024;
const DISK_BYTES = 1024 * MiB;

function layout(sizes: readonly number[]): Partition[] {
  const partitions = [containerFsPartition(64 * MiB)];
  for (const size of sizes) partitions.push(layerPartition(partitions.length, size, partitions, DISK_BYTES));
  return partitions;
}

test('partitions are aligned, in order, and survive encoding', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 3 * MiB }), { maxLength: 100 }), (sizes) => {
      const partitions = layout(sizes);
      for (const { firstSector } of partitions) expect((firstSector * SECTOR_BYTES) % GPT_ALIGNMENT_BYTES).toBe(0);
      const table = encodePartitionTable(partitions, DISK_BYTES);
      expect(parsePartitionTable(table.primary)).toEqual(partitions);
      expect(table.backupOffsetBytes + table.backup.length).toBe(DISK_BYTES);
    }),
    { numRuns: 30 },
  );
});

test('a child’s table differs from its parent’s and keeps the parent’s partitions', () => {
  const parent = layout([5000]);
  const child = layout([5000, 700_000]);
  expect(child.slice(0, 2)).toEqual(parent);
  expect(child[2]).toMatchObject({ name: 'layer2' });
});

test('what does not fit, overlaps or is damaged is refused', () => {
  expect(() => layout([2 * DISK_BYTES])).toThrow('do not fit');
  expect(() => layout(Array.from({ length: 128 }, () => 1))).toThrow('do not fit');
  const [first] = layout([]);
  if (first === undefined) throw new Error('no partition');
  expect(() => encodePartitionTable([first, first], DISK_BYTES)).toThrow('overlaps');
  const { primary } = encodePartitionTable([first], DISK_BYTES);
  for (const offset of [600, 1100]) {
    const damaged = Buffer.from(primary);
    damaged[offset] = (damaged[offset] ?? 0) ^ 1;
    expect(() => parsePartitionTable(damaged)).toThrow(/checksum|signature/);
  }
  expect(() => parsePartitionTable(primary.subarray(0, 1000))).toThrow('cut short');
});

test('the partition tools of Linux read both copies of the table', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'disk');
  const partitions = layout([5000, 700_000]);
  const table = encodePartitionTable(partitions, DISK_BYTES);
  const list = (): string =>
    execFileSync('partx', ['--raw', '--noheadings', '--output', 'START,END,TYPE,NAME', path]).toString();
  const expected = partitions
    .map(({ firstSector, lastSector, typeGuid, name }) => `${firstSector} ${lastSector} ${typeGuid} ${name}\n`)
    .join('');
  await using file = await open(path, 'w');
  await file.truncate(DISK_BYTES);
  await file.write(table.primary, 0, undefined, 0);
  await file.write(table.backup, 0, undefined, table.backupOffsetBytes);
  expect(list()).toBe(expected);
  await file.write(Buffer.alloc(512), 0, undefined, 512);
  expect(list()).toBe(expected);
});

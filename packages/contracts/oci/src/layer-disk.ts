import { createHash } from 'node:crypto';
import { VicError } from '@vic/errors';
import { crc32 } from './crc32.ts';

/*
 * The partition table of a container's disk (ARCHITECTURE.md, "The container's disk"; UEFI 2.10, chapter 5).
 * Every disk of a hierarchy has the same virtual size, so parent and child keep both tables at the same places.
 */

/** One partition, in sectors, both ends included. */
export interface Partition {
  readonly typeGuid: string;
  readonly name: string;
  readonly firstSector: number;
  readonly lastSector: number;
}

/** The bytes of a partition table and where each piece belongs. */
export interface PartitionTable {
  /** Protective MBR, header and entries: written at offset 0. */
  readonly primary: Uint8Array;
  /** Entries and header at the disk's end. */
  readonly backup: Uint8Array;
  readonly backupOffsetBytes: number;
}

/** The sector size of every disk. */
export const SECTOR_BYTES = 512;
/** Partitions start at multiples of this. */
export const GPT_ALIGNMENT_BYTES = 1024 * 1024;
/** Entries in the table. */
const MAX_PARTITIONS = 128;
/** Name of partition 1 and label of the file system in it. */
export const CONTAINER_FS_LABEL = 'containerfs';
/** Type of partition 1: "Linux filesystem data". */
const CONTAINER_FS_TYPE_GUID = '0fc63daf-8483-4772-8e79-3d69d8477de4';
/** Type of the partitions that hold one image layer as a squashfs each; ours alone. */
const LAYER_TYPE_GUID = '7c1a9f52-5b0e-4d63-9a41-76d1c0fe4c01';

const ENTRY_BYTES = 128;
const HEADER_BYTES = 92;
const TABLE_SECTORS = 1 + (MAX_PARTITIONS * ENTRY_BYTES) / SECTOR_BYTES;
const NAME_CHARACTERS = 36;
const SIGNATURE = 'EFI PART';

/** Partition 1: the container's own file system. */
export function containerFsPartition(sizeBytes: number): Partition {
  const firstSector = GPT_ALIGNMENT_BYTES / SECTOR_BYTES;
  return {
    typeGuid: CONTAINER_FS_TYPE_GUID,
    name: CONTAINER_FS_LABEL,
    firstSector,
    lastSector: firstSector + Math.ceil(sizeBytes / SECTOR_BYTES) - 1,
  };
}

/** The name of the partition of layer `number`, counted from 1 for the lowest. */
function layerPartitionName(number: number): string {
  return `layer${number}`;
}

/** The partition of layer `number` of `sizeBytes`, behind those already placed. */
export function layerPartition(
  number: number,
  sizeBytes: number,
  existing: readonly Partition[],
  diskBytes: number,
): Partition {
  const place = placePartition(sizeBytes, existing, diskBytes);
  return { typeGuid: LAYER_TYPE_GUID, name: layerPartitionName(number), ...place };
}

/** Where the next partition of `sizeBytes` goes: behind the last one, aligned; an error when the disk is full. */
function placePartition(
  sizeBytes: number,
  existing: readonly Partition[],
  diskBytes: number,
): { readonly firstSector: number; readonly lastSector: number } {
  const alignment = GPT_ALIGNMENT_BYTES / SECTOR_BYTES;
  const end = existing.reduce((last, partition) => Math.max(last, partition.lastSector + 1), TABLE_SECTORS + 1);
  const firstSector = Math.ceil(end / alignment) * alignment;
  const lastSector = firstSector + Math.max(1, Math.ceil(sizeBytes / SECTOR_BYTES)) - 1;
  if (existing.length >= MAX_PARTITIONS || lastSector > lastUsableSector(diskBytes)) {
    throw new VicError({
      class: 'ResourceExhausted',
      code: 'OCI_DISK_FULL',
      message: `The layers of the image do not fit on a disk of ${diskBytes} bytes.`,
      remedy: 'Create the virtual container host with a larger space for image layers.',
    });
  }
  return { firstSector, lastSector };
}

/** The table for `partitions` on a disk of `diskBytes`; the same input gives the same bytes. */
export function encodePartitionTable(partitions: readonly Partition[], diskBytes: number): PartitionTable {
  checkLayout(partitions, diskBytes);
  const sectors = diskBytes / SECTOR_BYTES;
  const entries = Buffer.alloc(MAX_PARTITIONS * ENTRY_BYTES);
  for (const [index, partition] of partitions.entries()) encodeEntry(partition, index, entries);
  const backupTableSector = sectors - TABLE_SECTORS;
  const primary = encodeHeader({ self: 1, other: sectors - 1, table: 2, sectors, entries });
  const backup = encodeHeader({ self: sectors - 1, other: 1, table: backupTableSector, sectors, entries });
  return {
    primary: Buffer.concat([protectiveMbr(sectors), primary, entries]),
    backup: Buffer.concat([entries, backup]),
    backupOffsetBytes: backupTableSector * SECTOR_BYTES,
  };
}

/** Reads the first 34 sectors of a disk back; an error when either checksum or the signature is wrong. */
export function parsePartitionTable(primary: Uint8Array): readonly Partition[] {
  const bytes = Buffer.from(primary.buffer, primary.byteOffset, primary.byteLength);
  if (bytes.length < (TABLE_SECTORS + 1) * SECTOR_BYTES) throw badTable('it is cut short');
  const header = Buffer.from(bytes.subarray(SECTOR_BYTES, SECTOR_BYTES + HEADER_BYTES));
  if (header.toString('latin1', 0, 8) !== SIGNATURE) throw badTable('there is no signature');
  const checksum = header.readUInt32LE(16);
  header.writeUInt32LE(0, 16);
  if (crc32(header) !== checksum) throw badTable('the header checksum is wrong');
  const entries = bytes.subarray(2 * SECTOR_BYTES, (TABLE_SECTORS + 1) * SECTOR_BYTES);
  if (crc32(entries) !== header.readUInt32LE(88)) throw badTable('the table checksum is wrong');
  const partitions: Partition[] = [];
  for (let index = 0; index < MAX_PARTITIONS; index++) {
    const entry = entries.subarray(index * ENTRY_BYTES, (index + 1) * ENTRY_BYTES);
    if (entry.subarray(0, 16).every((byte) => byte === 0)) break;
    partitions.push({
      typeGuid: decodeGuid(entry.subarray(0, 16)),
      name: entry.toString('utf16le', 56).replace(/\0.*$/s, ''),
      firstSector: Number(entry.readBigUInt64LE(32)),
      lastSector: Number(entry.readBigUInt64LE(40)),
    });
  }
  return partitions;
}

function checkLayout(partitions: readonly Partition[], diskBytes: number): void {
  if (!Number.isSafeInteger(diskBytes) || diskBytes % SECTOR_BYTES !== 0)
    throw badTable('the disk size is not whole sectors');
  if (partitions.length > MAX_PARTITIONS) throw badTable(`there are more than ${MAX_PARTITIONS} partitions`);
  let end = TABLE_SECTORS + 1;
  for (const { name, firstSector, lastSector } of partitions) {
    if (firstSector < end || lastSector < firstSector) throw badTable(`partition ${name} overlaps the one before it`);
    if (name.length > NAME_CHARACTERS) throw badTable(`the name ${name.slice(0, 40)} is too long`);
    end = lastSector + 1;
  }
  if (end - 1 > lastUsableSector(diskBytes)) throw badTable('a partition ends behind the disk');
}

function lastUsableSector(diskBytes: number): number {
  return diskBytes / SECTOR_BYTES - TABLE_SECTORS - 1;
}

interface Header {
  readonly self: number;
  readonly other: number;
  readonly table: number;
  readonly sectors: number;
  readonly entries: Buffer;
}

function encodeHeader({ self, other, table, sectors, entries }: Header): Buffer {
  const header = Buffer.alloc(SECTOR_BYTES);
  header.write(SIGNATURE, 0, 'latin1');
  header.writeUInt32LE(0x00010000, 8);
  header.writeUInt32LE(HEADER_BYTES, 12);
  header.writeBigUInt64LE(BigInt(self), 24);
  header.writeBigUInt64LE(BigInt(other), 32);
  header.writeBigUInt64LE(BigInt(TABLE_SECTORS + 1), 40);
  header.writeBigUInt64LE(BigInt(sectors - TABLE_SECTORS - 1), 48);
  derivedGuid(`vic disk ${sectors}`).copy(header, 56);
  header.writeBigUInt64LE(BigInt(table), 72);
  header.writeUInt32LE(MAX_PARTITIONS, 80);
  header.writeUInt32LE(ENTRY_BYTES, 84);
  header.writeUInt32LE(crc32(entries), 88);
  header.writeUInt32LE(crc32(header.subarray(0, HEADER_BYTES)), 16);
  return header;
}

function encodeEntry(partition: Partition, index: number, entries: Buffer): void {
  const offset = index * ENTRY_BYTES;
  encodeGuid(partition.typeGuid).copy(entries, offset);
  derivedGuid(`vic partition ${index + 1} ${partition.name}`).copy(entries, offset + 16);
  entries.writeBigUInt64LE(BigInt(partition.firstSector), offset + 32);
  entries.writeBigUInt64LE(BigInt(partition.lastSector), offset + 40);
  entries.write(partition.name, offset + 56, 'utf16le');
}

function protectiveMbr(sectors: number): Buffer {
  const mbr = Buffer.alloc(SECTOR_BYTES);
  mbr.set([0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff], 446);
  mbr.writeUInt32LE(1, 454);
  mbr.writeUInt32LE(Math.min(sectors - 1, 0xffffffff), 458);
  mbr.writeUInt16LE(0xaa55, 510);
  return mbr;
}

/** Unique GUIDs derived from the content: equal layouts give equal bytes, so parent and child differ only where they must. */
function derivedGuid(seed: string): Buffer {
  return createHash('sha256').update(seed).digest().subarray(0, 16);
}

/** The first three fields of a GUID are little-endian on disk. */
function encodeGuid(guid: string): Buffer {
  return swapGuid(Buffer.from(guid.replaceAll('-', ''), 'hex'));
}

function decodeGuid(bytes: Uint8Array): string {
  const hex = swapGuid(Buffer.from(bytes)).toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function swapGuid(bytes: Buffer): Buffer {
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}

function badTable(reason: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'OCI_PARTITION_TABLE',
    message: `Invalid partition table: ${reason}.`,
  });
}

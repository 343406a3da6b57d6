/** "QFI\xfb", the first four bytes of every qcow2 file. */
const MAGIC = 0x51_46_49_fb;
const VERSION = 3;
const CLUSTER_BITS = 16;
const CLUSTER_BYTES = 2 ** CLUSTER_BITS;
/** Entries are 8 bytes; one L1 entry stands for one L2 table, which covers 512 MiB. */
const BYTES_PER_L1_ENTRY = (CLUSTER_BYTES / 8) * CLUSTER_BYTES;
const HEADER_BYTES = 104;
/** Header extension "backing file format name". */
const BACKING_FORMAT_EXTENSION = 0xe2_79_2a_ca;
/** The only incompatible features a disk of ours may have: "dirty" and "corrupt" are QEMU's own marks. */
const ALLOWED_INCOMPATIBLE_FEATURES = 0b11n;
/** qcow2 allows no longer name. */
const MAX_BACKING_NAME_BYTES = 1023;

/** What we need to know about a disk file. */
export interface Qcow2Header {
  readonly capacityBytes: number;
  /** As it stands in the file: relative to the file's folder. */
  readonly backingFile: string | undefined;
}

/** Bytes of the start of a file that {@link parseQcow2Header} needs. */
export const QCOW2_HEADER_READ_BYTES = 4096;

/** Bytes to be written at an offset of a new file; everything else in it is zero. */
export interface Qcow2Segment {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/**
 * The metadata of an empty qcow2 version 3 image (docs/interop/qcow2.txt of QEMU), for a file of `fileBytes`.
 *
 * Written here because a process per container disk would be the slowest part of making one.
 */
export function emptyQcow2(
  capacityBytes: number,
  backingFile?: string,
): { readonly segments: readonly Qcow2Segment[]; readonly fileBytes: number } {
  const l1Entries = Math.ceil(capacityBytes / BYTES_PER_L1_ENTRY);
  const clusters = 3 + Math.max(1, Math.ceil((l1Entries * 8) / CLUSTER_BYTES));
  const header = Buffer.alloc(QCOW2_HEADER_READ_BYTES);
  writeHeader(header, capacityBytes, l1Entries);
  if (backingFile !== undefined) writeBackingFile(header, backingFile);
  // Cluster 1 is the refcount table with its only entry, cluster 2 the refcount block: all clusters used once.
  const refcountTable = Buffer.alloc(8);
  refcountTable.writeBigUInt64BE(BigInt(2 * CLUSTER_BYTES), 0);
  const refcounts = Buffer.alloc(clusters * 2);
  for (let cluster = 0; cluster < clusters; cluster++) refcounts.writeUInt16BE(1, cluster * 2);
  return {
    segments: [
      { offset: 0, bytes: header },
      { offset: CLUSTER_BYTES, bytes: refcountTable },
      { offset: 2 * CLUSTER_BYTES, bytes: refcounts },
    ],
    fileBytes: clusters * CLUSTER_BYTES,
  };
}

/**
 * Reads the start of a disk file, which may come from anybody.
 *
 * Gives the reason in words when it is no qcow2 file, or one with features through which it could reach other
 * files or data we cannot account for: external data files, encryption, internal snapshots, compression types.
 */
export function parseQcow2Header(bytes: Uint8Array): Qcow2Header | string {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.length < HEADER_BYTES || view.readUInt32BE(0) !== MAGIC) return 'it has no qcow2 header';
  if (view.readUInt32BE(4) !== VERSION) return 'its qcow2 version is not 3';
  if (view.readUInt32BE(32) !== 0) return 'it is encrypted';
  if (view.readUInt32BE(60) !== 0) return 'it has internal snapshots';
  if ((view.readBigUInt64BE(72) & ~ALLOWED_INCOMPATIBLE_FEATURES) !== 0n) return 'it uses features this host refuses';
  const capacityBytes = Number(view.readBigUInt64BE(24));
  if (!Number.isSafeInteger(capacityBytes)) return 'its size cannot be';
  const backing = readBackingFile(view);
  return typeof backing === 'object' ? { capacityBytes, backingFile: backing.name } : backing;
}

function writeHeader(bytes: Buffer, capacityBytes: number, l1Entries: number): void {
  bytes.writeUInt32BE(MAGIC, 0);
  bytes.writeUInt32BE(VERSION, 4);
  bytes.writeUInt32BE(CLUSTER_BITS, 20);
  bytes.writeBigUInt64BE(BigInt(capacityBytes), 24);
  bytes.writeUInt32BE(l1Entries, 36);
  bytes.writeBigUInt64BE(BigInt(3 * CLUSTER_BYTES), 40);
  bytes.writeBigUInt64BE(BigInt(CLUSTER_BYTES), 48);
  bytes.writeUInt32BE(1, 56);
  // Refcounts of 2^4 bits.
  bytes.writeUInt32BE(4, 96);
  bytes.writeUInt32BE(HEADER_BYTES, 100);
}

function writeBackingFile(bytes: Buffer, backingFile: string): void {
  const format = Buffer.from('qcow2');
  let offset = HEADER_BYTES;
  bytes.writeUInt32BE(BACKING_FORMAT_EXTENSION, offset);
  bytes.writeUInt32BE(format.length, offset + 4);
  format.copy(bytes, offset + 8);
  // Extensions are padded to 8 bytes, and one of type 0 and length 0 ends the list.
  offset += 8 + Math.ceil(format.length / 8) * 8 + 8;
  const name = Buffer.from(backingFile);
  name.copy(bytes, offset);
  bytes.writeBigUInt64BE(BigInt(offset), 8);
  bytes.writeUInt32BE(name.length, 16);
}

function readBackingFile(view: Buffer): { readonly name: string | undefined } | string {
  const offset = Number(view.readBigUInt64BE(8));
  const length = view.readUInt32BE(16);
  if (offset === 0) return { name: undefined };
  if (length === 0 || length > MAX_BACKING_NAME_BYTES || offset + length > view.length) {
    return 'the name of its parent cannot be read';
  }
  if (backingFormat(view) !== 'qcow2') return 'its parent is not declared to be a qcow2 file';
  return { name: view.toString('utf8', offset, offset + length) };
}

function backingFormat(view: Buffer): string | undefined {
  let offset = view.readUInt32BE(100);
  while (offset + 8 <= view.length) {
    const type = view.readUInt32BE(offset);
    const length = view.readUInt32BE(offset + 4);
    if (type === 0 || offset + 8 + length > view.length) return undefined;
    if (type === BACKING_FORMAT_EXTENSION) return view.toString('utf8', offset + 8, offset + 8 + length);
    offset += 8 + Math.ceil(length / 8) * 8;
  }
  return undefined;
}

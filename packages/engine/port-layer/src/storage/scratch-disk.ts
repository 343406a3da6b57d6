import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { VicError } from '@vic/errors';
import { CONTAINER_FS_LABEL, containerFsPartition, encodePartitionTable, SECTOR_BYTES } from '@vic/oci';
import type { Partition } from '@vic/oci';
import { run } from '@vic/process';
import type { DatastoreFiles } from './datastore-files.ts';
import type { AttachedDisk, LayerDiskHost } from './layer-disk-host.ts';
import { STORE_PATHS } from './store-paths.ts';

/** The root of every disk hierarchy. */
export interface ScratchDisk {
  readonly path: string;
  readonly diskBytes: number;
  readonly partitions: readonly Partition[];
}

/** What {@link ensureScratchDisk} needs. */
export interface ScratchDeps {
  readonly disks: LayerDiskHost;
  readonly files: DatastoreFiles;
  /** Local directory with room for a sparse file of the base image's metadata. */
  readonly spoolDirectory: string;
}

const MiB = 1024 * 1024;
/** Enough for one container's file system, and little to copy into every hierarchy. */
const JOURNAL_MIB = 16;
const COPY_BYTES = 4 * MiB;
/** Unit in which `filefrag` is asked to answer. */
const EXTENT_BYTES = 4096;
const MKE2FS_TIMEOUT_MS = 120_000;

/** The scratch disk of this VCH; made on first use. One that was not finished is made again. */
export async function ensureScratchDisk(
  deps: ScratchDeps,
  sizes: { readonly baseBytes: number; readonly layerSpaceBytes: number },
  signal: AbortSignal,
): Promise<ScratchDisk> {
  const marker = await deps.files.read(STORE_PATHS.scratchMarker, signal);
  if (marker !== undefined) return JSON.parse(marker.toString('utf8')) as ScratchDisk;
  await deps.files.delete(STORE_PATHS.scratch, signal);
  await deps.files.makeDirectory(STORE_PATHS.scratch, signal);
  const partition = containerFsPartition(sizes.baseBytes);
  const diskBytes = Math.ceil((sizes.baseBytes + sizes.layerSpaceBytes) / MiB) * MiB + 2 * MiB;
  const scratch: ScratchDisk = { path: STORE_PATHS.scratchDisk, diskBytes, partitions: [partition] };
  await using disk = await deps.disks.createScratch(scratch.path, diskBytes, signal);
  await writeTable(disk, scratch.partitions, diskBytes, signal);
  await writeContainerFs(disk, partition, deps.spoolDirectory, signal);
  await disk.flush(signal);
  await disk.detach();
  await deps.files.write(STORE_PATHS.scratchMarker, JSON.stringify(scratch), signal);
  return scratch;
}

/** Writes both copies of the partition table. */
export async function writeTable(
  disk: AttachedDisk,
  partitions: readonly Partition[],
  diskBytes: number,
  signal: AbortSignal,
): Promise<void> {
  const table = encodePartitionTable(partitions, diskBytes);
  await disk.write(table.backupOffsetBytes, table.backup, signal);
  await disk.write(0, table.primary, signal);
}

async function writeContainerFs(
  disk: AttachedDisk,
  partition: Partition,
  spool: string,
  signal: AbortSignal,
): Promise<void> {
  const path = join(spool, `containerfs-${process.pid}-${Date.now()}.ext4`);
  const sizeBytes = (partition.lastSector - partition.firstSector + 1) * SECTOR_BYTES;
  await using undo = new AsyncDisposableStack();
  await using file = await open(path, 'wx+', 0o600);
  undo.defer(async () => rm(path, { force: true }));
  await file.truncate(sizeBytes);
  await run('mke2fs', mke2fsArguments(path), { timeoutMs: MKE2FS_TIMEOUT_MS, signal });
  const zeros = Buffer.alloc(COPY_BYTES);
  const buffer = Buffer.alloc(COPY_BYTES);
  for (const offset of await allocatedPieces(path, sizeBytes, signal)) {
    signal.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, Math.min(COPY_BYTES, sizeBytes - offset), offset);
    if (bytesRead === 0) throw cutShort();
    if (buffer.compare(zeros, 0, bytesRead, 0, bytesRead) === 0) continue;
    await writeNonZero(disk, partition.firstSector * SECTOR_BYTES + offset, buffer.subarray(0, bytesRead), signal);
  }
}

/** Where the file holds anything at all; everywhere, when its file system cannot say. */
async function allocatedPieces(path: string, sizeBytes: number, signal: AbortSignal): Promise<readonly number[]> {
  const all = Array.from({ length: Math.ceil(sizeBytes / COPY_BYTES) }, (_, index) => index * COPY_BYTES);
  const { code, stdout } = await run('filefrag', ['-s', '-v', `-b${EXTENT_BYTES}`, path], { okCodes: [0, 1], signal });
  const extents = [...stdout.matchAll(/^\s*\d+:\s+(\d+)\.\.\s*(\d+):/gm)].map(([, first, last]) => {
    return { start: Number(first) * EXTENT_BYTES, end: (Number(last) + 1) * EXTENT_BYTES };
  });
  if (code !== 0 || extents.length === 0) return all;
  return all.filter((offset) => extents.some(({ start, end }) => start < offset + COPY_BYTES && end > offset));
}

/** Writes only the 64 KiB pieces that hold something, which is how much a thin disk allocates at a time. */
async function writeNonZero(disk: AttachedDisk, offset: number, bytes: Buffer, signal: AbortSignal): Promise<void> {
  const PIECE_BYTES = 64 * 1024;
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
    const piece = bytes.subarray(start, start + PIECE_BYTES);
    if (piece.some((byte) => byte !== 0)) await disk.write(offset + start, piece, signal);
  }
}

function mke2fsArguments(path: string): readonly string[] {
  return [
    '-q',
    '-F',
    '-t',
    'ext4',
    '-L',
    CONTAINER_FS_LABEL,
    '-m',
    '0',
    '-J',
    `size=${JOURNAL_MIB}`,
    // The inode tables and the journal read as zeros already: the disk is thin and empty.
    '-E',
    'lazy_itable_init=1,lazy_journal_init=1,nodiscard,root_owner=0:0',
    path,
  ];
}

function cutShort(): VicError {
  return new VicError({
    class: 'Internal',
    code: 'STORAGE_SCRATCH',
    message: 'The new file system was cut short while it was copied.',
  });
}

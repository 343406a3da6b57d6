import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { fromFileSystem, notADisk } from './datastore-errors.ts';
import type { DatastoreRoots } from './datastore-roots.ts';
import { QCOW2_HEADER_READ_BYTES, emptyQcow2, parseQcow2Header } from './qcow2-header.ts';

/** A virtual disk file that has been checked. */
export interface DiskFile {
  readonly capacityBytes: number;
  readonly allocatedBytes: number;
  /** Host path of the parent. */
  readonly parent: string | undefined;
}

/** Whether a name is that of a virtual disk. */
export function isDiskName(name: string): boolean {
  return name.toLowerCase().endsWith('.vmdk');
}

/** Reads and checks the header of a disk; `path` is its datastore path, for messages. */
export async function readDiskFile(roots: DatastoreRoots, hostPath: string, path: string): Promise<DiskFile> {
  const { header, allocatedBytes } = await readHeader(hostPath, path);
  const { capacityBytes, backingFile } = header;
  return {
    capacityBytes,
    allocatedBytes,
    parent: backingFile === undefined ? undefined : parentOf(roots, hostPath, path, backingFile),
  };
}

/** Refuses an uploaded disk unless it stands alone; a parent named by a stranger could be any file of the host. */
export async function assertStandaloneDisk(hostPath: string, path: string): Promise<void> {
  const { header } = await readHeader(hostPath, path);
  if (header.backingFile !== undefined) throw notADisk(path, 'it names a parent; upload disks without one');
}

/** Writes a new, empty disk; the parent's host path makes it a child. */
export async function writeEmptyDisk(
  stagedPath: string,
  capacityBytes: number,
  backingFile: string | undefined,
): Promise<void> {
  const { segments, fileBytes } = emptyQcow2(capacityBytes, backingFile);
  const file = await open(stagedPath, 'wx', 0o644);
  try {
    await file.truncate(fileBytes);
    for (const { offset, bytes } of segments) await file.write(bytes, 0, bytes.length, offset);
  } finally {
    await file.close();
  }
}

/**
 * How a child names its parent: relative, so that a datastore can be moved as a whole, and beginning with a dot,
 * since QEMU would take `x:y` for a protocol.
 */
export function backingNameOf(childHostPath: string, parentHostPath: string): string {
  const name = relative(dirname(childHostPath), parentHostPath);
  return name.startsWith('../') ? name : `./${name}`;
}

async function readHeader(hostPath: string, path: string) {
  try {
    // Non-blocking, so that a pipe under a disk's name does not hang us.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    await using file = await open(hostPath, flags);
    const stats = await file.stat();
    if (!stats.isFile()) throw notADisk(path, 'it is not a file');
    const { buffer, bytesRead } = await file.read(Buffer.alloc(QCOW2_HEADER_READ_BYTES), 0, QCOW2_HEADER_READ_BYTES, 0);
    const header = parseQcow2Header(buffer.subarray(0, bytesRead));
    if (typeof header === 'string') throw notADisk(path, header);
    return { header, allocatedBytes: stats.blocks * 512 };
  } catch (error) {
    throw fromFileSystem(error, path);
  }
}

function parentOf(roots: DatastoreRoots, hostPath: string, path: string, backingFile: string): string {
  const parent = resolve(dirname(hostPath), backingFile);
  const ours = /^\.\.?\//.test(backingFile) && isDiskName(parent) && roots.pathOf(parent) !== undefined;
  if (!ours) throw notADisk(path, 'its parent is outside the datastores');
  return parent;
}

import { rm } from 'node:fs/promises';
import { KeyedMutex } from '@vic/async';
import { VicError, isVicError } from '@vic/errors';
import type { VirtualDiskInfo } from '@vic/inventory';
import { run } from '@vic/process';
import { diskInUse, fromFileSystem, notADisk, refused } from './datastore-errors.ts';
import type { DatastoreRoots, Location } from './datastore-roots.ts';
import { backingNameOf, isDiskName, readDiskFile, writeEmptyDisk } from './disk-file.ts';
import type { DiskFile } from './disk-file.ts';
import type { DiskIndex } from './disk-index.ts';
import { stageFile } from './staging.ts';

/** vSphere's own limit. */
const MAX_CAPACITY_BYTES = 62 * 2 ** 40;
const SECTOR_BYTES = 512;
/** Far above what the image store makes; a chain this long is a loop. */
const MAX_CHAIN_LENGTH = 256;
/** Copying a disk is the only slow thing qemu-img does for us. */
const COPY_TIMEOUT_MS = 4 * 60 * 60 * 1000;

/** What {@link VirtualDisks} works with. */
export interface VirtualDisksDeps {
  readonly roots: DatastoreRoots;
  readonly index: DiskIndex;
}

/** Virtual disks: qcow2 files under the names of VMDKs. */
export class VirtualDisks {
  readonly #roots: DatastoreRoots;
  readonly #index: DiskIndex;
  readonly #locks = new KeyedMutex();

  constructor(deps: VirtualDisksDeps) {
    this.#roots = deps.roots;
    this.#index = deps.index;
  }

  /** Makes an empty thin disk. */
  async create(path: string, capacityBytes: number): Promise<void> {
    assertCapacity(capacityBytes);
    const target = await this.#locateDisk(path);
    await stageFile(target, { replace: false }, (staged) => writeEmptyDisk(staged, capacityBytes, undefined));
  }

  /** Makes a thin child, of the same size as its parent. */
  async createChild(path: string, parentPath: string): Promise<void> {
    const [target, parent] = [await this.#locateDisk(path), await this.#locateDisk(parentPath)];
    await this.#index.ready();
    await this.#locks.run(parent.hostPath, async () => {
      const { capacityBytes } = await this.#readChain(parent);
      const name = backingNameOf(target.hostPath, parent.hostPath);
      await stageFile(target, { replace: false }, (staged) => writeEmptyDisk(staged, capacityBytes, name));
      this.#index.add(target.hostPath, parent.hostPath);
    });
  }

  /** Makes a full, independent copy. */
  async copy(sourcePath: string, destinationPath: string, options: { readonly replace: boolean }): Promise<void> {
    const [source, target] = [await this.#locateDisk(sourcePath), await this.#locateDisk(destinationPath)];
    if (source.hostPath === target.hostPath) throw refused(`${source.path} cannot be copied onto itself.`);
    await this.#readChain(source);
    await this.assertNoChildren(target);
    await stageFile(target, options, async (staged) => {
      const args = ['convert', '-f', 'qcow2', '-O', 'qcow2', source.hostPath, staged];
      await qemuImg(args, source.path, COPY_TIMEOUT_MS);
    });
    this.#index.forget(target.hostPath);
  }

  /** Makes a disk larger. */
  async extend(path: string, capacityBytes: number): Promise<void> {
    assertCapacity(capacityBytes);
    const target = await this.#locateDisk(path);
    await this.assertNoChildren(target);
    const disk = await this.#readChain(target);
    if (capacityBytes < disk.capacityBytes) throw refused(`${target.path} cannot be made smaller.`);
    await qemuImg(['resize', '-f', 'qcow2', target.hostPath, String(capacityBytes)], target.path);
  }

  /** Removes a disk no other disk is a child of. */
  async delete(path: string): Promise<void> {
    const target = await this.#locateDisk(path);
    await this.#index.ready();
    await this.#locks.run(target.hostPath, async () => {
      await this.assertNoChildren(target);
      try {
        await rm(target.hostPath);
      } catch (error) {
        throw fromFileSystem(error, target.path);
      }
      this.#index.forget(target.hostPath);
    });
  }

  /** Size and parent of a disk that is safe to open. */
  async info(path: string): Promise<VirtualDiskInfo> {
    const disk = await this.#readChain(await this.#locateDisk(path));
    return {
      capacityBytes: disk.capacityBytes,
      allocatedBytes: disk.allocatedBytes,
      parent: disk.parent === undefined ? undefined : this.#roots.pathOf(disk.parent),
    };
  }

  /** Writes anew how a disk that was moved names its parent. */
  async rename(disk: string, parent: string): Promise<void> {
    const name = backingNameOf(disk, parent);
    await qemuImg(['rebase', '-u', '-f', 'qcow2', '-b', name, '-F', 'qcow2', disk], this.#roots.pathOf(disk) ?? disk);
  }

  /** `Conflict` when another disk is a child of this one. */
  async assertNoChildren(disk: Location): Promise<void> {
    await this.#index.ready();
    const child = this.#index.childOf(disk.hostPath);
    if (child !== undefined) throw diskInUse(disk.path, this.#roots.pathOf(child) ?? child);
  }

  /** Reads a disk and all its parents, so that QEMU never opens a chain that was not looked at. */
  async #readChain(disk: Location): Promise<DiskFile> {
    const top = await readDiskFile(this.#roots, disk.hostPath, disk.path);
    let parent = top.parent;
    for (let length = 1; parent !== undefined; length++) {
      if (length > MAX_CHAIN_LENGTH) throw notADisk(disk.path, 'its chain of parents has no end');
      parent = (await readDiskFile(this.#roots, parent, this.#roots.pathOf(parent) ?? parent)).parent;
    }
    return top;
  }

  async #locateDisk(path: string): Promise<Location> {
    const location = await this.#roots.locateBelowRoot(path);
    if (isDiskName(location.hostPath)) return location;
    throw refused(`${location.path} is not the name of a virtual disk, which ends in .vmdk.`);
  }
}

function assertCapacity(capacityBytes: number): void {
  const possible = Number.isSafeInteger(capacityBytes) && capacityBytes > 0 && capacityBytes <= MAX_CAPACITY_BYTES;
  if (possible && capacityBytes % SECTOR_BYTES === 0) return;
  throw refused(`A virtual disk cannot have ${capacityBytes} bytes: it takes whole sectors of 512 bytes, up to 62 TB.`);
}

async function qemuImg(args: readonly string[], path: string, timeoutMs = 60_000): Promise<void> {
  try {
    await run('qemu-img', args, { timeoutMs });
  } catch (error) {
    if (!isVicError(error, { code: 'PROCESS_FAILED' })) throw error;
    if (/No space left/.test(error.message)) {
      throw fromFileSystem(Object.assign(new Error(error.message), { code: 'ENOSPC' }), path);
    }
    if (!/lock/.test(error.message)) throw error;
    throw new VicError({
      class: 'Conflict',
      code: 'DATASTORE_DISK_BUSY',
      message: `${path} is in use by a running machine.`,
      remedy: 'Power the machine off or detach the disk.',
      cause: error,
    });
  }
}

import { constants, createWriteStream } from 'node:fs';
import { copyFile, lstat, mkdir, open, readdir, rename, rm, statfs } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { mapLimit } from '@vic/async';
import type { DatastoreBackend, DatastoreFile, DatastoreSummary, VirtualDiskInfo } from '@vic/inventory';
import { diskInUse, fileExists, fromFileSystem, refused } from './datastore-errors.ts';
import { STAGING_FOLDER } from './datastore-path.ts';
import { DatastoreRoots } from './datastore-roots.ts';
import type { DatastoreRoot, Location } from './datastore-roots.ts';
import { DiskIndex } from './disk-index.ts';
import { assertStandaloneDisk, isDiskName } from './disk-file.ts';
import { removeTree, stageFile, sweepStaging, syncFile } from './staging.ts';
import { VirtualDisks } from './virtual-disks.ts';

/** Enough to hide the latency of a disk, few enough not to flood the thread pool. */
const STAT_CONCURRENCY = 16;

/** Datastores as directories of the host. */
export class Datastores implements DatastoreBackend {
  readonly #roots: DatastoreRoots;
  readonly #index: DiskIndex;
  readonly #disks: VirtualDisks;

  private constructor(roots: DatastoreRoots) {
    this.#roots = roots;
    this.#index = new DiskIndex(roots);
    this.#disks = new VirtualDisks({ roots, index: this.#index });
  }

  /** Opens the datastores, making directories that are missing and clearing what an earlier crash left half-made. */
  static async open(datastores: readonly DatastoreRoot[]): Promise<Datastores> {
    const roots = new DatastoreRoots(datastores);
    for (const root of roots.all) await mkdir(root.directory, { recursive: true });
    await sweepStaging(roots.all);
    return new Datastores(roots);
  }

  async datastores(): Promise<readonly DatastoreSummary[]> {
    return mapLimit(this.#roots.all, STAT_CONCURRENCY, async (root) => {
      const { bsize, blocks, bavail } = await statfs(root.directory);
      return { ...root, capacityBytes: blocks * bsize, freeBytes: bavail * bsize };
    });
  }

  resolve(path: string): string {
    return this.#roots.resolve(path).hostPath;
  }

  async stat(path: string): Promise<DatastoreFile> {
    const location = await this.#roots.locate(path);
    const file = await describe(location.hostPath).catch((error: unknown) => {
      throw fromFileSystem(error, location.path);
    });
    if (file === undefined) throw refused(`${location.path} is neither a file nor a folder.`);
    return location.hostPath === location.root.directory ? { ...file, name: '' } : file;
  }

  async list(path: string): Promise<readonly DatastoreFile[]> {
    const location = await this.#roots.locate(path);
    await this.stat(path);
    try {
      const names = await readdir(location.hostPath);
      const files = await mapLimit(names.toSorted(), STAT_CONCURRENCY, async (name) => {
        if (name === STAGING_FOLDER) return undefined;
        return describe(join(location.hostPath, name)).catch(ifGone);
      });
      return files.filter((file) => file !== undefined);
    } catch (error) {
      throw fromFileSystem(error, location.path);
    }
  }

  async makeDirectory(path: string, options: { readonly parents: boolean }): Promise<void> {
    const location = this.#roots.resolve(path);
    try {
      if (options.parents) await this.#makeParents(location);
      await this.#roots.locateBelowRoot(path);
      await mkdir(location.hostPath);
    } catch (error) {
      throw fromFileSystem(error, location.path);
    }
  }

  async delete(path: string): Promise<void> {
    const location = await this.#roots.locateBelowRoot(path);
    const file = await this.stat(path);
    if (file.kind === 'disk') return this.#disks.delete(path);
    await this.#index.ready();
    this.#assertNotNeededOutside(location);
    await removeTree(location);
    this.#index.forget(location.hostPath);
  }

  async move(source: string, destination: string, options: { readonly force: boolean }): Promise<void> {
    const [from, to] = [await this.#roots.locateBelowRoot(source), await this.#roots.locateBelowRoot(destination)];
    const file = await this.stat(source);
    assertSameKind(from, to, file);
    await this.#index.ready();
    if (file.kind === 'disk') await this.#disks.assertNoChildren(from);
    this.#assertNotNeededOutside(from);
    await this.#assertFree(to, options.force);
    if (from.root.name !== to.root.name) return this.#moveAcross(from, to, file, options.force);
    await rename(from.hostPath, to.hostPath).catch((error: unknown) => {
      throw fromFileSystem(error, to.path);
    });
    await this.#followMove(from.hostPath, to.hostPath);
  }

  async copy(source: string, destination: string, options: { readonly force: boolean }): Promise<void> {
    const [from, to] = [await this.#roots.locateBelowRoot(source), await this.#roots.locateBelowRoot(destination)];
    const file = await this.stat(source);
    assertSameKind(from, to, file);
    if (file.kind === 'disk') return this.#disks.copy(source, destination, { replace: options.force });
    if (file.kind === 'directory') throw refused(`${from.path} is a folder; this host copies single files only.`);
    await this.#assertFree(to, options.force);
    await stageFile(to, { replace: options.force }, (staged) =>
      copyFile(from.hostPath, staged, constants.COPYFILE_FICLONE),
    );
  }

  async read(path: string, range?: { readonly start: number; readonly endExclusive: number }): Promise<Readable> {
    const location = await this.#roots.locateBelowRoot(path);
    const file = await this.stat(path);
    if (file.kind === 'directory') throw refused(`${location.path} is a folder.`);
    const handle = await open(location.hostPath, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: unknown) => {
      throw fromFileSystem(error, location.path);
    });
    const end = range === undefined ? file.sizeBytes : Math.min(range.endExclusive, file.sizeBytes);
    const start = Math.min(range?.start ?? 0, end);
    // The `end` of a stream is inclusive, so it cannot be asked for nothing.
    if (start === end) {
      await handle.close();
      return Readable.from([]);
    }
    return handle.createReadStream({ start, end: end - 1 });
  }

  async write(
    path: string,
    content: Readable,
    signal: AbortSignal,
  ): Promise<{ readonly sizeBytes: number; readonly created: boolean }> {
    const location = await this.#roots.locateBelowRoot(path);
    await this.#assertFree(location, true);
    const before = await lstat(location.hostPath).catch(() => undefined);
    if (before !== undefined && isDiskName(location.hostPath)) await this.#disks.assertNoChildren(location);
    return stageFile(location, { replace: true }, async (staged) => {
      await pipeline(content, createWriteStream(staged, { flags: 'wx', mode: 0o644 }), { signal });
      if (isDiskName(location.hostPath)) await assertStandaloneDisk(staged, location.path);
      await syncFile(staged);
      const { size } = await lstat(staged);
      this.#index.forget(location.hostPath);
      return { sizeBytes: size, created: before === undefined };
    });
  }

  async createDisk(path: string, capacityBytes: number): Promise<void> {
    await this.#disks.create(path, capacityBytes);
  }

  async createChildDisk(path: string, parent: string): Promise<void> {
    await this.#disks.createChild(path, parent);
  }

  async copyDisk(source: string, destination: string): Promise<void> {
    await this.#disks.copy(source, destination, { replace: false });
  }

  async extendDisk(path: string, capacityBytes: number): Promise<void> {
    await this.#disks.extend(path, capacityBytes);
  }

  async deleteDisk(path: string): Promise<void> {
    await this.#disks.delete(path);
  }

  async diskInfo(path: string): Promise<VirtualDiskInfo> {
    return this.#disks.info(path);
  }

  /** One component after another, so that none of them is a link. */
  async #makeParents(location: Location): Promise<void> {
    const components = relative(location.root.directory, location.hostPath).split(sep).slice(0, -1);
    for (const [index] of components.entries()) {
      const parent = `[${location.root.name}] ${components.slice(0, index + 1).join('/')}`;
      const { hostPath } = await this.#roots.locate(parent);
      await mkdir(hostPath).catch((error: unknown) => {
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      });
    }
  }

  #assertNotNeededOutside(location: Location): void {
    const child = this.#index.childOutside(location.hostPath);
    if (child !== undefined) throw diskInUse(location.path, this.#roots.pathOf(child) ?? child);
  }

  /** Files may be replaced when asked to; folders and disks others depend on never are. */
  async #assertFree(to: Location, force: boolean): Promise<void> {
    const existing = await lstat(to.hostPath).catch(() => undefined);
    if (existing === undefined) return;
    if (!force || !existing.isFile()) throw fileExists(to.path);
    if (isDiskName(to.hostPath)) await this.#disks.assertNoChildren(to);
  }

  async #moveAcross(from: Location, to: Location, file: DatastoreFile, force: boolean): Promise<void> {
    if (file.kind === 'directory') throw refused(`${from.path} is a folder; folders stay on their datastore.`);
    if (file.kind === 'disk') {
      await this.#disks.copy(from.path, to.path, { replace: force });
      return this.#disks.delete(from.path);
    }
    await stageFile(to, { replace: force }, (staged) => copyFile(from.hostPath, staged));
    await rm(from.hostPath);
  }

  /** Children that moved keep their parents, whose names are relative. */
  async #followMove(from: string, to: string): Promise<void> {
    const moved = (path: string): string =>
      path === from || path.startsWith(from + sep) ? to + path.slice(from.length) : path;
    const children = this.#index.childrenWithin(from);
    this.#index.forget(from);
    this.#index.forget(to);
    for (const { disk, parent } of children) {
      if (moved(parent) === parent) await this.#disks.rename(moved(disk), parent);
      this.#index.add(moved(disk), moved(parent));
    }
  }
}

function assertSameKind(from: Location, to: Location, file: DatastoreFile): void {
  if (from.hostPath === to.hostPath) throw refused(`${from.path} cannot be put onto itself.`);
  // A disk renamed would escape the checks that disks get, and so would a file renamed to be one.
  const wasDisk = file.kind === 'disk';
  if (file.kind !== 'directory' && wasDisk !== isDiskName(to.hostPath)) {
    throw refused(`${from.path} and ${to.path} must both be virtual disks (.vmdk), or neither.`);
  }
}

async function describe(hostPath: string): Promise<DatastoreFile | undefined> {
  const stats = await lstat(hostPath);
  // Links, pipes, sockets and devices are nothing the API knows.
  if (!stats.isFile() && !stats.isDirectory()) return undefined;
  const name = basename(hostPath);
  const fileKind = isDiskName(name) ? 'disk' : 'file';
  return {
    name,
    kind: stats.isDirectory() ? 'directory' : fileKind,
    sizeBytes: stats.isDirectory() ? 0 : stats.size,
    modifiedAtMs: stats.mtimeMs,
  };
}

function ifGone(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}

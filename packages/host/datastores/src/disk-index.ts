import { readdir } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { DatastoreRoots } from './datastore-roots.ts';
import { STAGING_FOLDER } from './datastore-path.ts';
import { isDiskName, readDiskFile } from './disk-file.ts';

/**
 * Which disk is a child of which, by host path.
 *
 * Read once from the disks themselves, then kept up to date by those who change them; nobody else does.
 */
export class DiskIndex {
  readonly #roots: DatastoreRoots;
  readonly #parents = new Map<string, string>();
  readonly #children = new Map<string, Set<string>>();
  #scan: Promise<void> | undefined;

  constructor(roots: DatastoreRoots) {
    this.#roots = roots;
  }

  /** Makes sure the index has been read. */
  async ready(): Promise<void> {
    this.#scan ??= this.#scanAll();
    await this.#scan;
  }

  /** Some child of the disk, if it has any. */
  childOf(disk: string): string | undefined {
    return this.#children.get(disk)?.values().next().value;
  }

  /** A disk outside `folder` that is a child of one inside, if any. */
  childOutside(folder: string): string | undefined {
    const inside = (path: string): boolean => path.startsWith(folder + sep);
    for (const [child, parent] of this.#parents) {
      if (inside(parent) && !inside(child)) return child;
    }
    return undefined;
  }

  /** The disks at or below a path that have a parent, with it. */
  childrenWithin(path: string): readonly { readonly disk: string; readonly parent: string }[] {
    return [...this.#parents]
      .filter(([disk]) => disk === path || disk.startsWith(path + sep))
      .map(([disk, parent]) => ({ disk, parent }));
  }

  /** Remembers a new child. */
  add(disk: string, parent: string): void {
    this.#parents.set(disk, parent);
    this.#children.getOrInsertComputed(parent, () => new Set()).add(disk);
  }

  /** Forgets a disk, or all disks below a folder. */
  forget(path: string): void {
    for (const { disk, parent } of this.childrenWithin(path)) {
      this.#parents.delete(disk);
      const siblings = this.#children.get(parent);
      siblings?.delete(disk);
      if (siblings?.size === 0) this.#children.delete(parent);
    }
  }

  async #scanAll(): Promise<void> {
    for (const root of this.#roots.all) await this.#scanFolder(root.directory);
  }

  async #scanFolder(folder: string): Promise<void> {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const hostPath = join(folder, entry.name);
      if (entry.isDirectory() && entry.name !== STAGING_FOLDER) await this.#scanFolder(hostPath);
      if (!entry.isFile() || !isDiskName(entry.name)) continue;
      // A damaged disk has no say in what may be deleted.
      const disk = await readDiskFile(this.#roots, hostPath, hostPath).catch(() => undefined);
      if (disk?.parent !== undefined) this.add(hostPath, disk.parent);
    }
  }
}

import { createReadStream } from 'node:fs';
import { KeyedMutex } from '@vic/async';
import { layerPartition, SECTOR_BYTES } from '@vic/oci';
import type { ChainId, Partition } from '@vic/oci';
import { decodeLayerDirectories, encodeLayerDirectories } from '@vic/tar';
import type { LayerDirectories } from '@vic/tar';
import type { ConvertedLayer } from './convert-layer.ts';
import type { DatastoreFiles } from './datastore-files.ts';
import type { ImageLayer } from './image.ts';
import type { LayerDiskHost } from './layer-disk-host.ts';
import { writeTable } from './scratch-disk.ts';
import type { ScratchDisk } from './scratch-disk.ts';
import { layerPaths, STORE_PATHS } from './store-paths.ts';

/** One or more layers that were committed together, and the disk that shows them and all below. */
export interface LayerGroup {
  /** Of its topmost layer. */
  readonly chainId: ChainId;
  readonly parent: ChainId | undefined;
  /** Lowest first. */
  readonly layers: readonly ImageLayer[];
  /** Its own disk, or the parent's when all its layers are empty. */
  readonly diskPath: string;
  /** All partitions of that disk. */
  readonly partitions: readonly Partition[];
}

/** The committed layer disks of the store. */
export class LayerDisks {
  readonly #files: DatastoreFiles;
  readonly #disks: LayerDiskHost;
  readonly #scratch: ScratchDisk;
  readonly #groups: Map<ChainId, LayerGroup>;
  readonly #busy = new KeyedMutex();

  /** Reads what is committed and sweeps away what is not. */
  static async open(
    files: DatastoreFiles,
    disks: LayerDiskHost,
    scratch: ScratchDisk,
    signal: AbortSignal,
  ): Promise<LayerDisks> {
    const groups = new Map<ChainId, LayerGroup>();
    for (const name of await files.list(STORE_PATHS.layers, signal)) {
      const paths = layerPaths(`sha256:${name}`);
      const marker = await files.read(paths.marker, signal);
      if (marker === undefined) {
        await files.delete(paths.directory, signal);
        continue;
      }
      const group = JSON.parse(marker.toString('utf8')) as LayerGroup;
      groups.set(group.chainId, group);
    }
    return new LayerDisks(files, disks, scratch, groups);
  }

  private constructor(
    files: DatastoreFiles,
    disks: LayerDiskHost,
    scratch: ScratchDisk,
    groups: Map<ChainId, LayerGroup>,
  ) {
    this.#files = files;
    this.#disks = disks;
    this.#scratch = scratch;
    this.#groups = groups;
  }

  /** The group whose topmost layer has this chain id, once it is committed. */
  get(chainId: ChainId): LayerGroup | undefined {
    return this.#groups.get(chainId);
  }

  /** All committed groups. */
  all(): readonly LayerGroup[] {
    return [...this.#groups.values()];
  }

  /** What the group's layers say about directories, lowest first. */
  async directoriesOf(chainId: ChainId, signal: AbortSignal): Promise<readonly LayerDirectories[]> {
    const file = await this.#files.read(layerPaths(chainId).directories, signal);
    const texts = JSON.parse((file ?? Buffer.from('[]')).toString('utf8')) as readonly string[];
    return texts.map(decodeLayerDirectories);
  }

  /** Puts converted layers on a new disk above the parent's. Nothing is visible until the marker is written, last. */
  async commit(
    layers: readonly ImageLayer[],
    converted: readonly ConvertedLayer[],
    parent: LayerGroup | undefined,
    signal: AbortSignal,
  ): Promise<LayerGroup> {
    const chainId = topOf(layers).chainId;
    return this.#busy.run(chainId, async () => {
      const paths = layerPaths(chainId);
      await this.#files.delete(paths.directory, signal);
      await this.#files.makeDirectory(paths.directory, signal);
      await using undo = new AsyncDisposableStack();
      undo.defer(async () => this.#files.delete(paths.directory));
      const below = {
        diskPath: parent?.diskPath ?? this.#scratch.path,
        partitions: parent?.partitions ?? this.#scratch.partitions,
      };
      const full = converted.filter(({ summary }) => !summary.isEmpty);
      const above = full.length === 0 ? below : await this.#writeDisk(paths.disk, below, full, signal);
      const group: LayerGroup = { chainId, parent: parent?.chainId, layers, ...above };
      const directories = converted.map(({ summary }) => encodeLayerDirectories(summary.directories));
      await this.#files.write(paths.directories, JSON.stringify(directories), signal);
      await this.#files.write(paths.marker, JSON.stringify(group), signal);
      undo.move();
      this.#groups.set(chainId, group);
      return group;
    });
  }

  /** Removes groups that nothing needs, children before parents; the marker goes first, so a crash leaves no half. */
  async removeUnless(isNeeded: (chainId: ChainId) => boolean, signal: AbortSignal): Promise<readonly ChainId[]> {
    const removed: ChainId[] = [];
    const unneeded = this.all().filter(({ chainId }) => !isNeeded(chainId));
    for (const { chainId } of unneeded.toSorted((a, b) => this.#depthOf(b) - this.#depthOf(a))) {
      if (isNeeded(chainId)) continue;
      await this.#busy.run(chainId, async () => {
        this.#groups.delete(chainId);
        await this.#files.delete(layerPaths(chainId).marker, signal);
        await this.#files.delete(layerPaths(chainId).directory, signal);
      });
      removed.push(chainId);
    }
    return removed;
  }

  #depthOf(group: LayerGroup): number {
    let depth = 0;
    for (let at: LayerGroup | undefined = group; at !== undefined; depth++) {
      at = at.parent === undefined ? undefined : this.#groups.get(at.parent);
    }
    return depth;
  }

  async #writeDisk(
    path: string,
    below: Pick<LayerGroup, 'diskPath' | 'partitions'>,
    layers: readonly ConvertedLayer[],
    signal: AbortSignal,
  ): Promise<Pick<LayerGroup, 'diskPath' | 'partitions'>> {
    const { diskBytes } = this.#scratch;
    const partitions = [...below.partitions];
    for (const { squashfsBytes } of layers) {
      partitions.push(layerPartition(partitions.length, squashfsBytes, partitions, diskBytes));
    }
    await using disk = await this.#disks.attachChild(path, below.diskPath, signal);
    for (const [index, { squashfsPath }] of layers.entries()) {
      const offset = (partitions[below.partitions.length + index]?.firstSector ?? 0) * SECTOR_BYTES;
      await disk.writeStream(
        offset,
        createReadStream(squashfsPath, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>,
        signal,
      );
    }
    await writeTable(disk, partitions, diskBytes, signal);
    await disk.flush(signal);
    await disk.detach();
    return { diskPath: path, partitions };
  }
}

function topOf(layers: readonly ImageLayer[]): ImageLayer {
  const top = layers.at(-1);
  if (top === undefined) throw new Error('a group has at least one layer');
  return top;
}

import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Mutex } from '@vic/async';
import type { ImageId } from '@vic/ids';
import { shortId } from '@vic/ids';
import type { PullProgress, RegistryClient, RegistryCredentials, ResolvedImage } from '@vic/imagec';
import type { Logger } from '@vic/log';
import { chainIds, digestOfBytes, familiarReference, withTag } from '@vic/oci';
import type { ChainId, ImageReference, Platform } from '@vic/oci';
import { planRemoval } from './image-removal.ts';
import { ImageRecords } from './image-records.ts';
import type { ImageRecord } from './image-records.ts';
import type { Image, ImageLayer, ImageUser, RemovedItem, RemoveOptions } from './image.ts';
import type { DatastoreFiles } from './datastore-files.ts';
import type { LayerDiskHost } from './layer-disk-host.ts';
import { LayerDisks } from './layer-disks.ts';
import { LayerPuller } from './layer-puller.ts';
import { ensureScratchDisk } from './scratch-disk.ts';
import type { ScratchDisk } from './scratch-disk.ts';
import { STORE_PATHS } from './store-paths.ts';

/** What an {@link ImageStore} is made of. */
export interface ImageStoreDeps {
  readonly disks: LayerDiskHost;
  readonly files: DatastoreFiles;
  readonly registry: RegistryClient;
  readonly logger: Logger;
  /** The containers that use an image, at this moment. */
  readonly usersOf: (id: ImageId) => readonly ImageUser[];
}

/** Sizes and places of an {@link ImageStore}. */
export interface ImageStoreOptions {
  /** Local directory of this store alone, for layers on their way. Emptied at start. */
  readonly spoolDirectory: string;
  /** Size of a container's file system. */
  readonly baseImageBytes?: number;
  /** Room for the layers of one image. */
  readonly layerSpaceBytes?: number;
  /** How many layer disks an image has at most; further layers share the last. */
  readonly maxDepth?: number;
  readonly parallelDownloads?: number;
}

/** One pull. */
export interface PullRequest {
  readonly credentials?: RegistryCredentials;
  readonly platform?: Platform;
  readonly progress?: PullProgress;
  readonly signal: AbortSignal;
}

const GiB = 1024 ** 3;
const DEFAULT_BASE_IMAGE_BYTES = 8 * GiB;
const DEFAULT_LAYER_SPACE_BYTES = 64 * GiB;
/** Chains of disks cost time on every read and have limits of their own on vSphere (about 30 snapshots). */
const DEFAULT_MAX_DEPTH = 24;

/** The images of one VCH: layers as a hierarchy of disks on the datastore, names and configurations as files. */
export class ImageStore {
  readonly #deps: ImageStoreDeps;
  readonly #records: ImageRecords;
  readonly #layers: LayerDisks;
  readonly #puller: LayerPuller;
  readonly #scratch: ScratchDisk;
  /** Changes of names and images happen one at a time; downloads do not wait for them. */
  readonly #changes = new Mutex();
  /** How many pulls under way need a chain: their layers must not be collected. */
  readonly #pins = new Map<ChainId, number>();

  /** Reads the store back from the datastore, makes the scratch disk if there is none, and sweeps what a crash left. */
  static async open(deps: ImageStoreDeps, options: ImageStoreOptions, signal: AbortSignal): Promise<ImageStore> {
    await emptyDirectory(options.spoolDirectory);
    const sizes = {
      baseBytes: options.baseImageBytes ?? DEFAULT_BASE_IMAGE_BYTES,
      layerSpaceBytes: options.layerSpaceBytes ?? DEFAULT_LAYER_SPACE_BYTES,
    };
    await deps.files.makeDirectory(STORE_PATHS.layers, signal);
    const scratch = await ensureScratchDisk({ ...deps, spoolDirectory: options.spoolDirectory }, sizes, signal);
    const layers = await LayerDisks.open(deps.files, deps.disks, scratch, signal);
    const records = await ImageRecords.open(deps.files, signal);
    const puller = new LayerPuller({
      ...deps,
      disks: layers,
      spoolDirectory: options.spoolDirectory,
      maxLayerBytes: sizes.layerSpaceBytes,
      maxDepth: options.maxDepth ?? DEFAULT_MAX_DEPTH,
      parallelDownloads: options.parallelDownloads ?? 3,
    });
    return new ImageStore(deps, scratch, layers, records, puller);
  }

  private constructor(
    deps: ImageStoreDeps,
    scratch: ScratchDisk,
    layers: LayerDisks,
    records: ImageRecords,
    puller: LayerPuller,
  ) {
    this.#deps = deps;
    this.#scratch = scratch;
    this.#layers = layers;
    this.#records = records;
    this.#puller = puller;
  }

  /** Size of every disk of the store, and of their children. */
  get diskBytes(): number {
    return this.#scratch.diskBytes;
  }

  /** Brings an image from its registry; what is already here is not fetched again. */
  async pull(reference: ImageReference, request: PullRequest): Promise<Image> {
    const wanted = withTag(reference);
    const progress = request.progress ?? ((): void => undefined);
    const { credentials, platform, signal } = request;
    const resolved = await this.#deps.registry.resolve(wanted, {
      signal,
      ...(credentials === undefined ? {} : { credentials }),
      ...(platform === undefined ? {} : { platform }),
    });
    progress({ kind: 'from', repository: wanted.path, tag: wanted.digest ?? wanted.tag ?? 'latest' });
    const pinned = chainIds(resolved.config.diffIds);
    using _pin = this.#pin(pinned);
    const layers = await this.#puller.pull({
      reference: wanted,
      credentials,
      image: resolved,
      onEvent: ({ digest, ...event }) => progress({ kind: 'layer', id: shortId(digest), ...event }),
      signal,
    });
    const record = recordOf(resolved, layers);
    const isNew = await this.#changes.run(async () => this.#records.add(record, namesFor(wanted, resolved), signal));
    progress({ kind: 'digest', digest: resolved.digest });
    progress({ kind: 'done', reference: familiarReference(wanted), isNew });
    return this.#imageOf(record.id);
  }

  /** All images, untagged ones included, in no particular order. */
  list(): readonly Image[] {
    return this.#records.all().map(({ id }) => this.#imageOf(id));
  }

  /** The image meant by a full or short id, a name, or a name with a digest. */
  get(name: string): Image {
    return this.#imageOf(this.#records.find(name).record.id);
  }

  /** Gives an image one more name; the name is taken from whichever image had it. */
  async tag(name: string, target: ImageReference, signal: AbortSignal): Promise<Image> {
    return this.#changes.run(async () => {
      const { record } = this.#records.find(name);
      await this.#records.setNames(record.id, [withTag(target)], signal);
      return this.#imageOf(record.id);
    });
  }

  /** Removes a name or an image by Docker's rules; the lines of what happened, in order. */
  async remove(name: string, options: RemoveOptions, signal: AbortSignal): Promise<readonly RemovedItem[]> {
    return this.#changes.run(async () => {
      const plan = planRemoval(name, options, this.#records, this.#deps.usersOf);
      const { record } = this.#records.find(name);
      await this.#records.removeNames(plan.untag, signal);
      const untagged = plan.untag.map((reference) => ({ untagged: familiarReference(reference) }));
      if (!plan.deletesImage) return untagged;
      return [...untagged, ...(await this.#deleteImage(record, options, signal))];
    });
  }

  /** Removes the layers no image has: what failed pulls left behind. Gives how many disks went. */
  async collectGarbage(signal: AbortSignal): Promise<number> {
    return this.#changes.run(async () => (await this.#collectLayers(signal)).length);
  }

  /** The disk containers without an image are made on, and the size every disk has. */
  get scratch(): { readonly path: string; readonly diskBytes: number } {
    return { path: this.#scratch.path, diskBytes: this.#scratch.diskBytes };
  }

  /** Sum of the layers in the store, each counted once. */
  get totalLayerBytes(): number {
    return this.#layers
      .all()
      .flatMap(({ layers }) => layers)
      .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  async #deleteImage(
    record: ImageRecord,
    options: RemoveOptions,
    signal: AbortSignal,
  ): Promise<readonly RemovedItem[]> {
    await this.#records.remove(record.id, signal);
    const items: RemovedItem[] = [{ deleted: record.id }];
    const parent = record.parentId === undefined ? undefined : this.#records.get(record.parentId);
    const isOrphan = parent !== undefined && this.#isUnneeded(parent);
    if (options.keepParents !== true && parent !== undefined && isOrphan) {
      return [...items, ...(await this.#deleteImage(parent, options, signal))];
    }
    const layers = await this.#collectLayers(signal);
    return [...items, ...layers.map((chainId) => ({ deleted: chainId }))];
  }

  #isUnneeded({ id }: ImageRecord): boolean {
    return (
      this.#records.referencesOf(id).length === 0 &&
      this.#deps.usersOf(id).length === 0 &&
      !this.#records.all().some(({ parentId }) => parentId === id)
    );
  }

  async #collectLayers(signal: AbortSignal): Promise<readonly ChainId[]> {
    const used = new Set(this.#records.all().flatMap(({ layers }) => layers.map(({ chainId }) => chainId)));
    return this.#layers.removeUnless((chainId) => used.has(chainId) || this.#pins.has(chainId), signal);
  }

  #pin(chain: readonly ChainId[]): Disposable {
    for (const chainId of chain) this.#pins.set(chainId, (this.#pins.get(chainId) ?? 0) + 1);
    return {
      [Symbol.dispose]: () => {
        for (const chainId of chain) {
          const left = (this.#pins.get(chainId) ?? 0) - 1;
          if (left > 0) this.#pins.set(chainId, left);
          else this.#pins.delete(chainId);
        }
      },
    };
  }

  #imageOf(id: ImageId): Image {
    const { record } = this.#records.find(id);
    const references = this.#records.referencesOf(id);
    const top = record.layers.at(-1);
    return {
      id,
      config: this.#records.configOf(record),
      rawConfig: record.rawConfig,
      layers: record.layers,
      sizeBytes: record.layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      repoTags: references
        .filter(({ tag }) => tag !== undefined)
        .map(familiarReference)
        .toSorted(),
      repoDigests: references
        .filter(({ digest }) => digest !== undefined)
        .map(familiarReference)
        .toSorted(),
      lastTaggedMs: this.#records.lastTaggedMs(id),
      parentId: record.parentId,
      topDiskPath: (top === undefined ? undefined : this.#layers.get(top.chainId)?.diskPath) ?? this.#scratch.path,
    };
  }
}

function recordOf(resolved: ResolvedImage, layers: readonly ImageLayer[]): ImageRecord {
  return {
    id: digestOfBytes(resolved.rawConfig) as string as ImageId,
    rawConfig: resolved.rawConfig,
    manifest: { digest: resolved.manifestDigest, mediaType: resolved.manifest.mediaType, raw: resolved.rawManifest },
    layers,
    parentId: undefined,
  };
}

/** A pulled tag is remembered with the digest it had; a digest by itself. */
function namesFor({ domain, path, tag, digest }: ImageReference, resolved: ResolvedImage): readonly ImageReference[] {
  const byDigest = { domain, path, digest: resolved.digest };
  return tag === undefined || digest !== undefined ? [byDigest] : [{ domain, path, tag }, byDigest];
}

async function emptyDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  for (const name of await readdir(path)) await rm(join(path, name), { recursive: true, force: true });
}

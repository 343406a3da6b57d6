import { randomUUID } from 'node:crypto';
import type { LayerStatus, RegistryClient, RegistryCredentials, ResolvedImage } from '@vic/imagec';
import { VicError } from '@vic/errors';
import type { Logger } from '@vic/log';
import { shortId } from '@vic/ids';
import { chainIds } from '@vic/oci';
import type { ChainId, Descriptor, Digest, ImageReference } from '@vic/oci';
import type { LayerDirectories } from '@vic/tar';
import { convertLayer, spoolBase } from './convert-layer.ts';
import type { ConvertedLayer } from './convert-layer.ts';
import type { ImageLayer } from './image.ts';
import type { LayerDisks, LayerGroup } from './layer-disks.ts';
import { SharedTasks } from './shared-tasks.ts';
import { Slots } from './slots.ts';

/** What {@link LayerPuller} needs. */
export interface LayerPullerDeps {
  readonly registry: RegistryClient;
  readonly disks: LayerDisks;
  readonly logger: Logger;
  readonly spoolDirectory: string;
  readonly maxLayerBytes: number;
  /** Layers from this one on (counted from 1) share one disk. */
  readonly maxDepth: number;
  readonly parallelDownloads: number;
}

/** A layer's progress; the pull that listens prints it. */
export interface LayerEvent {
  readonly digest: Digest;
  readonly status: LayerStatus;
  readonly current?: number;
  readonly total?: number;
}

/** What one pull wants of its layers. */
export interface LayersRequest {
  readonly reference: ImageReference;
  readonly credentials: RegistryCredentials | undefined;
  readonly image: ResolvedImage;
  readonly onEvent: (event: LayerEvent) => void;
  readonly signal: AbortSignal;
}

/** A group before it is committed. */
interface PlannedGroup {
  readonly layers: readonly { readonly descriptor: Descriptor; readonly diffId: Digest; readonly chainId: Digest }[];
}

const CONVERT_TIMEOUT_MS = 2 * 60 * 60 * 1000;
/** A progress line for each of these, not for each packet. */
const PROGRESS_STEP_BYTES = 512 * 1024;

/** Brings an image's layers into the store: downloads and conversions in parallel, disks from the bottom up. */
export class LayerPuller {
  readonly #deps: LayerPullerDeps;
  readonly #slots: Slots;
  readonly #tasks = new SharedTasks<LayerGroup, LayerEvent>();
  readonly #directories = new Map<ChainId, PromiseWithResolvers<readonly LayerDirectories[]>>();

  constructor(deps: LayerPullerDeps) {
    this.#deps = deps;
    this.#slots = new Slots(deps.parallelDownloads);
  }

  /** All layers of the image, lowest first, once they are committed. The first failure stops the rest. */
  async pull(request: LayersRequest): Promise<readonly ImageLayer[]> {
    const groups = this.#plan(request.image);
    const failure = new AbortController();
    const signal = AbortSignal.any([request.signal, failure.signal]);
    const chain = groups.map(chainIdOf);
    const committed = groups.map(async (group, index) =>
      this.#startGroup(group, chain.slice(0, index), { ...request, signal }),
    );
    for (const group of committed) group.catch((error: unknown) => failure.abort(error));
    const settled = await Promise.allSettled(committed);
    request.signal.throwIfAborted();
    failure.signal.throwIfAborted();
    return settled.flatMap((result) => (result.status === 'fulfilled' ? result.value.layers : []));
  }

  /** The groups an image's layers are in: one disk each, the rest together. A layer's place decides, so images share. */
  #plan(image: ResolvedImage): readonly PlannedGroup[] {
    const chain = chainIds(image.config.diffIds);
    const layers = image.manifest.layers.map((descriptor, index) => {
      const diffId = image.config.diffIds[index] ?? descriptor.digest;
      return { descriptor, diffId, chainId: chain[index] ?? descriptor.digest };
    });
    const single = layers.slice(0, this.#deps.maxDepth - 1).map((layer) => ({ layers: [layer] }));
    const rest = layers.slice(this.#deps.maxDepth - 1);
    return rest.length === 0 ? single : [...single, { layers: rest }];
  }

  async #startGroup(group: PlannedGroup, below: readonly ChainId[], request: LayersRequest): Promise<LayerGroup> {
    const chainId = chainIdOf(group);
    const existing = this.#deps.disks.get(chainId);
    const status = existing === undefined ? 'Pulling fs layer' : 'Already exists';
    for (const { descriptor } of group.layers) request.onEvent({ digest: descriptor.digest, status });
    if (existing !== undefined) return existing;
    const known = this.#directories.getOrInsertComputed(chainId, () => newPromise());
    return this.#tasks.run(
      chainId,
      async (signal, emit) => this.#bringGroup(group, below, request, known, signal, emit),
      request.onEvent,
      request.signal,
    );
  }

  /** What the layers of committed groups, and of those on their way, say about directories; nearest first. */
  async #directoriesBelow(below: readonly ChainId[], signal: AbortSignal): Promise<readonly LayerDirectories[]> {
    const groups = await Promise.all(
      below.map(
        async (chainId) => this.#directories.get(chainId)?.promise ?? this.#deps.disks.directoriesOf(chainId, signal),
      ),
    );
    return groups.flat().toReversed();
  }

  /** Another pull may have started the parent; it goes on for us when that pull is given up. */
  async #parentOf(below: readonly ChainId[]): Promise<LayerGroup | undefined> {
    const chainId = below.at(-1);
    if (chainId === undefined) return undefined;
    const parent = this.#deps.disks.get(chainId) ?? (await this.#tasks.result(chainId));
    if (parent !== undefined) return parent;
    throw new VicError({
      class: 'Unavailable',
      code: 'STORAGE_PARENT_FAILED',
      message: 'failed to register layer: the layer below it failed',
    });
  }

  async #bringGroup(
    group: PlannedGroup,
    below: readonly ChainId[],
    request: LayersRequest,
    known: PromiseWithResolvers<readonly LayerDirectories[]>,
    signal: AbortSignal,
    emit: (event: LayerEvent) => void,
  ): Promise<LayerGroup> {
    await using converted = new AsyncDisposableStack();
    try {
      const layers = await this.#convertGroup(group, below, request, signal, emit, converted);
      known.resolve(layers.map(({ summary }) => summary.directories));
      const parent = await this.#parentOf(below);
      const described = layers.map(({ diffId, sizeBytes }, index): ImageLayer => {
        return { diffId, sizeBytes, chainId: group.layers[index]?.chainId ?? diffId };
      });
      const committed = await this.#deps.disks.commit(described, layers, parent, signal);
      for (const { descriptor } of group.layers) emit({ digest: descriptor.digest, status: 'Pull complete' });
      return committed;
    } catch (error) {
      known.reject(error);
      throw error;
    } finally {
      this.#directories.delete(chainIdOf(group));
    }
  }

  async #convertGroup(
    group: PlannedGroup,
    below: readonly ChainId[],
    request: LayersRequest,
    signal: AbortSignal,
    emit: (event: LayerEvent) => void,
    kept: AsyncDisposableStack,
  ): Promise<readonly ConvertedLayer[]> {
    const converted: Promise<ConvertedLayer>[] = [];
    for (const layer of group.layers) {
      const before = [...converted];
      // Nearest layer first: those of this group, then the groups below.
      const lower = async (): Promise<readonly LayerDirectories[]> => {
        const inGroup = (await Promise.all(before)).map(({ summary }) => summary.directories);
        return [...inGroup.toReversed(), ...(await this.#directoriesBelow(below, signal))];
      };
      const waiting = (): void => emit({ digest: layer.descriptor.digest, status: 'Waiting' });
      const one = this.#slots.run(async () => this.#convert(layer, lower, request, signal, emit), signal, waiting);
      converted.push(one);
    }
    const settled = await Promise.allSettled(converted);
    for (const result of settled) if (result.status === 'fulfilled') kept.use(result.value);
    return Promise.all(converted);
  }

  async #convert(
    layer: PlannedGroup['layers'][number],
    lower: () => Promise<readonly LayerDirectories[]>,
    request: LayersRequest,
    signal: AbortSignal,
    emit: (event: LayerEvent) => void,
  ): Promise<ConvertedLayer> {
    const { registry, spoolDirectory, maxLayerBytes, logger } = this.#deps;
    const { digest, sizeBytes: total } = layer.descriptor;
    let shown = 0;
    const onProgress = (current: number): void => {
      if (current < shown + PROGRESS_STEP_BYTES && current !== total) return;
      shown = current;
      emit({ digest, status: 'Downloading', current, total });
    };
    const { credentials } = request;
    const options = { signal, onProgress, ...(credentials === undefined ? {} : { credentials }) };
    const converted = await convertLayer({
      diffId: layer.diffId,
      blob: announceEnd(registry.openBlob(request.reference, layer.descriptor, options), () => {
        emit({ digest, status: 'Verifying Checksum' });
        emit({ digest, status: 'Download complete' });
        emit({ digest, status: 'Extracting', current: total, total });
      }),
      lower,
      spoolBase: spoolBase(spoolDirectory, digest, randomUUID()),
      maxLayerBytes,
      timeoutMs: CONVERT_TIMEOUT_MS,
      signal,
    });
    const dropped = converted.summary.droppedXattrs;
    if (dropped.length > 0) {
      logger.warn('extended attributes of a layer were left out', {
        layer: shortId(digest),
        attributes: dropped.join(' '),
      });
    }
    return converted;
  }
}

async function* announceEnd(source: AsyncIterable<Buffer>, onEnd: () => void): AsyncGenerator<Buffer, void, undefined> {
  yield* source;
  onEnd();
}

function chainIdOf(group: PlannedGroup): ChainId {
  const top = group.layers.at(-1);
  if (top === undefined) throw new Error('a group has at least one layer');
  return top.chainId;
}

function newPromise(): PromiseWithResolvers<readonly LayerDirectories[]> {
  const resolvers = Promise.withResolvers<readonly LayerDirectories[]>();
  // Whether anybody above waits for it or not, a failure is reported by the group itself.
  resolvers.promise.catch(() => undefined);
  return resolvers;
}

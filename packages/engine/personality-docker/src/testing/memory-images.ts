import { createHash } from 'node:crypto';
import { delay } from '@vic/async';
import { VicError } from '@vic/errors';
import { type ImageId, shortId } from '@vic/ids';
import type { Container } from '@vic/port-layer';
import type { Image, ImageBackend, ImageRemoval, ImageRuntimeConfig, PullProgress, PullResult } from '../backends.ts';

/** An image of the fixture's registry. */
export interface RegistryImage {
  readonly reference: string;
  readonly config: ImageRuntimeConfig;
  readonly layerBytes: readonly number[];
}

/** An image store in memory that pulls from a registry in memory. */
export class MemoryImages implements ImageBackend {
  readonly #images = new Map<ImageId, Image>();
  readonly #registry: readonly RegistryImage[];

  readonly #containers: () => readonly Container[];

  constructor(registry: readonly RegistryImage[], containers: () => readonly Container[]) {
    this.#registry = registry;
    this.#containers = containers;
  }

  list(): readonly Image[] {
    return [...this.#images.values()];
  }

  get(reference: string): Image {
    const name = withTag(reference);
    const hex = reference.replace('sha256:', '');
    const byName = this.list().find(
      ({ repoTags, repoDigests }) => repoTags.includes(name) || repoDigests.includes(reference),
    );
    const byId = this.list().find(({ id }) => hex.length >= 4 && id.startsWith(`sha256:${hex}`));
    const found = byName ?? byId;
    if (found === undefined)
      throw new VicError({ class: 'NotFound', code: 'IMAGE_NOT_FOUND', message: `There is no ${reference}.` });
    return found;
  }

  async pull(
    reference: string,
    options: { readonly onProgress: (progress: PullProgress) => void },
    signal: AbortSignal,
  ): Promise<PullResult> {
    const name = withTag(reference);
    const source = this.#registry.find((image) => image.reference === name);
    const [repository = '', tag = ''] = name.split(':');
    if (source === undefined) {
      throw new VicError({
        class: 'NotFound',
        code: 'REGISTRY_DENIED',
        message: `pull access denied for ${repository}, repository does not exist or may require 'docker login'`,
      });
    }
    const report = options.onProgress;
    report({ kind: 'resolved', repository: `library/${repository}`, tag });
    const image = imageOf(source);
    const upToDate = this.#images.has(image.id);
    for (const [index, totalBytes] of upToDate ? [] : source.layerBytes.entries()) {
      const layer = shortId(image.diffIds[index] ?? '');
      report({ kind: 'layer', layer, phase: 'queued' });
      for (const currentBytes of [Math.floor(totalBytes / 2), totalBytes]) {
        await delay(1, signal);
        report({ kind: 'layer', layer, phase: 'downloading', currentBytes, totalBytes });
      }
      report({ kind: 'layer', layer, phase: 'downloaded' });
      report({ kind: 'layer', layer, phase: 'complete' });
      if (source.config.Labels?.['broken'] === 'yes') {
        throw new VicError({
          class: 'DataLoss',
          code: 'LAYER_CORRUPT',
          message: 'filesystem layer verification failed',
        });
      }
    }
    this.#images.set(image.id, image);
    return { image, digest: digestOf(`manifest ${name}`), upToDate, reference: name };
  }

  async tag(id: ImageId, reference: string): Promise<void> {
    const name = withTag(reference);
    for (const image of this.list())
      this.#setTags(
        image,
        image.repoTags.filter((tag) => tag !== name),
      );
    const image = this.get(id);
    this.#setTags(image, [...image.repoTags, name]);
  }

  async remove(reference: string, options: { readonly force: boolean }): Promise<readonly ImageRemoval[]> {
    const image = this.get(reference);
    const name = withTag(reference);
    const removed = image.repoTags.includes(name) ? [name] : image.repoTags;
    const left = image.repoTags.filter((tag) => !removed.includes(tag));
    const untagged = removed.map((tag) => ({ untagged: tag }));
    if (left.length > 0) {
      this.#setTags(image, left);
      return untagged;
    }
    if (!options.force && this.#containers().some(({ config }) => config.imageId === image.id)) {
      throw new VicError({
        class: 'Conflict',
        code: 'IMAGE_IN_USE',
        message: `conflict: unable to remove repository reference "${reference}" (must force) - a container is using it`,
      });
    }
    this.#images.delete(image.id);
    return [...untagged, { deleted: image.id }, ...image.diffIds.map((deleted) => ({ deleted }))];
  }

  #setTags(image: Image, repoTags: readonly string[]): void {
    this.#images.set(image.id, { ...image, repoTags });
  }
}

function imageOf(source: RegistryImage): Image {
  const id = digestOf(`config ${source.reference}`) as ImageId;
  const [repository = ''] = source.reference.split(':');
  return {
    id,
    repoTags: [source.reference],
    repoDigests: [`${repository}@${digestOf(`manifest ${source.reference}`)}`],
    createdAt: '2026-11-01T10:00:00.123456789Z',
    sizeBytes: source.layerBytes.reduce((total, bytes) => total + bytes, 0),
    architecture: 'amd64',
    variant: undefined,
    os: 'linux',
    author: '',
    comment: '',
    dockerVersion: '',
    config: source.config,
    diffIds: source.layerBytes.map((bytes, index) => digestOf(`layer ${source.reference} ${index} ${bytes}`)),
    history: source.layerBytes.map((sizeBytes) => ({
      createdAt: '2026-11-01T10:00:00Z',
      createdBy: 'COPY rootfs / # buildkit',
      comment: '',
      sizeBytes,
    })),
    lastTaggedAt: '2026-11-02T10:00:00Z',
  };
}

function withTag(reference: string): string {
  const name = reference.replace(/^docker\.io\/(library\/)?/, '');
  return name.includes(':') ? name : `${name}:latest`;
}

function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

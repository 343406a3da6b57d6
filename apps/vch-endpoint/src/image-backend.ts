import type { RegistryAuth } from '@vic/docker-api';
import type { PullEvent, RegistryCredentials } from '@vic/imagec';
import { parseReference } from '@vic/oci';
import type { Platform } from '@vic/oci';
import type { Image, ImageBackend, ImageRuntimeConfig, PullProgress } from '@vic/personality-docker';
import type { Image as StoredImage, ImageStore } from '@vic/port-layer';

/** The image store as the Docker personality needs it. */
export function imageBackend(store: ImageStore): ImageBackend {
  return {
    list: () => store.list().map(imageOf),
    get: (reference) => imageOf(store.get(reference)),
    pull: async (reference, options, signal) => {
      let digest = '';
      let isNew = true;
      let name = reference;
      const image = await store.pull(parseReference(reference), {
        ...(options.auth === undefined ? {} : { credentials: credentialsOf(options.auth) }),
        ...(options.platform === undefined ? {} : { platform: platformOf(options.platform) }),
        progress: (event) => {
          if (event.kind === 'digest') digest = event.digest;
          if (event.kind === 'done') ({ isNew, reference: name } = event);
          const progress = progressOf(event);
          if (progress !== undefined) options.onProgress(progress);
        },
        signal,
      });
      return { image: imageOf(image), digest, upToDate: !isNew, reference: name };
    },
    tag: async (image, reference, signal) => {
      await store.tag(image, parseReference(reference), signal);
    },
    remove: async (reference, options, signal) => store.remove(reference, options, signal),
  };
}

/** Registry credentials from Docker's form of them. */
export function credentialsOf(auth: RegistryAuth): RegistryCredentials {
  return {
    username: auth.username,
    password: auth.password,
    identityToken: auth.identityToken,
    registryToken: auth.registryToken,
  };
}

function imageOf(image: StoredImage): Image {
  const { config } = image;
  const raw = rawFieldsOf(image.rawConfig);
  return {
    id: image.id,
    repoTags: image.repoTags,
    repoDigests: image.repoDigests,
    createdAt: config.created,
    sizeBytes: image.sizeBytes,
    architecture: config.architecture,
    variant: config.variant === '' ? undefined : config.variant,
    os: config.os,
    author: config.author,
    comment: raw.comment,
    dockerVersion: raw.dockerVersion,
    config: raw.config,
    diffIds: config.diffIds,
    history: historyOf(image),
    lastTaggedAt: image.lastTaggedMs === 0 ? undefined : new Date(image.lastTaggedMs).toISOString(),
  };
}

/** Each step that was not empty made the next layer. */
function historyOf(image: StoredImage): Image['history'] {
  const layers = image.layers.values();
  return image.config.history.map((entry) => ({
    createdAt: entry.created,
    createdBy: entry.createdBy,
    comment: entry.comment,
    sizeBytes: entry.emptyLayer ? 0 : (layers.next().value?.sizeBytes ?? 0),
  }));
}

interface RawFields {
  readonly config: ImageRuntimeConfig;
  readonly comment: string;
  readonly dockerVersion: string;
}

/** Fields the store does not interpret; it checked the document's shape when the image was pulled. */
function rawFieldsOf(rawConfig: string): RawFields {
  const raw = JSON.parse(rawConfig) as { config?: ImageRuntimeConfig; comment?: unknown; docker_version?: unknown };
  return {
    config: raw.config ?? {},
    comment: typeof raw.comment === 'string' ? raw.comment : '',
    dockerVersion: typeof raw.docker_version === 'string' ? raw.docker_version : '',
  };
}

function platformOf(text: string): Platform {
  const [os = 'linux', architecture = 'amd64', variant] = text.split('/');
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

function progressOf(event: PullEvent): PullProgress | undefined {
  if (event.kind === 'from') return { kind: 'resolved', repository: event.repository, tag: event.tag };
  if (event.kind !== 'layer') return undefined;
  const layer = event.id;
  const sizes = { currentBytes: event.current ?? 0, totalBytes: event.total ?? 0 };
  switch (event.status) {
    case 'Pulling fs layer':
      return { kind: 'layer', layer, phase: 'queued' };
    case 'Waiting':
      return { kind: 'layer', layer, phase: 'waiting' };
    case 'Downloading':
      return { kind: 'layer', layer, phase: 'downloading', ...sizes };
    case 'Verifying Checksum':
      return { kind: 'layer', layer, phase: 'verifying' };
    case 'Download complete':
      return { kind: 'layer', layer, phase: 'downloaded' };
    case 'Extracting':
      return { kind: 'layer', layer, phase: 'extracting', ...sizes };
    case 'Pull complete':
      return { kind: 'layer', layer, phase: 'complete' };
    case 'Already exists':
      return { kind: 'layer', layer, phase: 'exists' };
  }
}

import { randomBytes } from 'node:crypto';
import { MEDIA_TYPES, digestOfBytes } from '@vic/oci';
import type { ContentDigest } from '@vic/oci';
import { connectRegistry } from '@vic/registry-client';

/** Where a test pushes to. */
export interface PushTarget {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  readonly repository: string;
}

/** A manifest as a test wants it. */
export interface TestImage {
  /** By digest when absent. */
  readonly tag?: string;
  /** Random when absent. */
  readonly layer?: Uint8Array;
  readonly subject?: PushedManifest;
  readonly artifactType?: string;
  readonly architecture?: string;
}

/** A manifest that was pushed. */
export interface PushedManifest {
  readonly digest: ContentDigest;
  readonly size: number;
  readonly mediaType: string;
  /** Digest of its layer. */
  readonly layer?: ContentDigest;
}

const CREDENTIALS = { username: 'admin', password: 'secret' };
const TIMEOUT_MS = 60_000;

/** Pushes an image with one layer. */
export async function pushImage(target: PushTarget, image: TestImage = {}): Promise<PushedManifest> {
  const layer = image.layer ?? randomBytes(2048);
  const config = Buffer.from(JSON.stringify({ architecture: image.architecture ?? 'amd64', os: 'linux', rootfs: {} }));
  await using connection = connectRegistry({ url: target.url, credentials: CREDENTIALS });
  const { registry } = connection;
  for (const bytes of [config, layer]) {
    const upload = { digest: digestOfBytes(bytes), sizeBytes: bytes.length, open: () => chunks(bytes) };
    await registry.writeBlob(target.repository, upload, inTime());
  }
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    ...(image.artifactType === undefined ? {} : { artifactType: image.artifactType }),
    config: { mediaType: MEDIA_TYPES.ociConfig, digest: digestOfBytes(config), size: config.length },
    layers: [{ mediaType: MEDIA_TYPES.ociLayer, digest: digestOfBytes(layer), size: layer.length }],
    ...(image.subject === undefined ? {} : { subject: descriptorOf(image.subject) }),
  };
  const pushed = await putJson(target, image.tag, manifest, MEDIA_TYPES.ociManifest);
  return { ...pushed, layer: digestOfBytes(layer) };
}

/** Pushes an index of manifests that are there. */
export async function pushIndex(
  target: PushTarget,
  tag: string,
  members: readonly PushedManifest[],
): Promise<PushedManifest> {
  const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: members.map(descriptorOf) };
  return putJson(target, tag, index, MEDIA_TYPES.ociIndex);
}

/** What a tag or digest names there; `undefined` when nothing. */
export async function digestAt(target: PushTarget, reference: string): Promise<ContentDigest | undefined> {
  await using connection = connectRegistry({ url: target.url, credentials: CREDENTIALS });
  try {
    return (await connection.registry.headManifest(target.repository, reference, inTime()))?.digest;
  } catch {
    return undefined;
  }
}

/** Deletes a tag, or an artifact by its digest. */
export async function deleteAt(target: PushTarget, reference: string): Promise<void> {
  await using connection = connectRegistry({ url: target.url, credentials: CREDENTIALS });
  await connection.registry.deleteManifest(target.repository, reference, inTime());
}

async function putJson(
  target: PushTarget,
  tag: string | undefined,
  document: object,
  mediaType: string,
): Promise<PushedManifest> {
  const bytes = Buffer.from(JSON.stringify(document));
  const digest = digestOfBytes(bytes);
  await using connection = connectRegistry({ url: target.url, credentials: CREDENTIALS });
  await connection.registry.putManifest(target.repository, tag ?? digest, { bytes, mediaType }, inTime());
  return { digest, size: bytes.length, mediaType };
}

function inTime(): AbortSignal {
  return AbortSignal.timeout(TIMEOUT_MS);
}

function descriptorOf({ digest, mediaType, size }: PushedManifest): object {
  return { digest, mediaType, size };
}

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

import { VicError } from '@vic/errors';
import { parseDigest } from './digest.ts';
import type { Digest } from './digest.ts';
import { arrayOf, malformed, objectOf, parseJsonObject, textOf, textTableOf } from './fields.ts';
import type { JsonObject } from './fields.ts';
import { compressionOf, isIndexType, isManifestType, MEDIA_TYPES } from './media-types.ts';
import type { Platform } from './platform.ts';

/** A pointer to content by digest, size and type. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly annotations: Readonly<Record<string, string>>;
}

/** One image: its configuration and its layers, lowest first. */
export interface ImageManifest {
  readonly mediaType: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** One entry of a list of manifests. */
export interface IndexEntry extends Descriptor {
  readonly platform: Platform | undefined;
}

/** A multi-platform image. */
export interface ImageIndex {
  readonly mediaType: string;
  readonly manifests: readonly IndexEntry[];
}

/** The largest manifest a registry has to accept, and the largest we read. */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
/** A container disk has 128 partitions, one of which is the container's own file system. */
export const MAX_LAYERS = 127;
const MAX_INDEX_ENTRIES = 1000;

/** Parses the manifest of one image; `contentType` stands in for an absent `mediaType`, as in early OCI images. */
export function parseManifest(text: string, contentType?: string): ImageManifest {
  const json = parseJsonObject(text, MAX_MANIFEST_BYTES, 'manifest');
  const mediaType = mediaTypeOf(json, contentType, MEDIA_TYPES.ociManifest);
  if (!isManifestType(mediaType)) throw unsupported(mediaType);
  if ('manifests' in json) throw malformed('manifest', 'is both an image and an index');
  const config = descriptorOf(json['config'], 'manifest config');
  if (config.mediaType !== MEDIA_TYPES.dockerConfig && config.mediaType !== MEDIA_TYPES.ociConfig) {
    throw unsupported(config.mediaType);
  }
  const layers = arrayOf(json['layers'], MAX_LAYERS, 'manifest layers').map((layer, index) =>
    descriptorOf(layer, `manifest layer ${index}`),
  );
  for (const layer of layers) {
    if (layer.mediaType === MEDIA_TYPES.dockerForeignLayer || compressionOf(layer.mediaType) === undefined) {
      throw unsupported(layer.mediaType);
    }
  }
  return { mediaType, config, layers };
}

/** Parses a list of manifests. */
export function parseIndex(text: string, contentType?: string): ImageIndex {
  const json = parseJsonObject(text, MAX_MANIFEST_BYTES, 'manifest list');
  const mediaType = mediaTypeOf(json, contentType, MEDIA_TYPES.ociIndex);
  if (!isIndexType(mediaType)) throw unsupported(mediaType);
  if ('layers' in json || 'config' in json) throw malformed('manifest list', 'is both an image and an index');
  const manifests = arrayOf(json['manifests'], MAX_INDEX_ENTRIES, 'manifest list').map((entry, index) => {
    const what = `manifest list entry ${index}`;
    const platform = objectOf(entry, what)['platform'];
    return { ...descriptorOf(entry, what), platform: platform === undefined ? undefined : platformOf(platform, what) };
  });
  return { mediaType, manifests };
}

function mediaTypeOf(json: JsonObject, contentType: string | undefined, fallback: string): string {
  if (json['schemaVersion'] === 1) {
    throw new VicError({
      class: 'NotSupported',
      code: 'OCI_SCHEMA1',
      message: 'Docker Image Format v1 and Docker Image manifest version 2, schema 1 are not supported',
      remedy: 'Push the image again with a current client.',
    });
  }
  if (json['schemaVersion'] !== 2) throw malformed('manifest', 'has no schemaVersion 2');
  const declared = textOf(json['mediaType'], 'manifest mediaType');
  const served = contentType?.split(';')[0]?.trim() ?? '';
  if (declared !== '' && (isManifestType(served) || isIndexType(served)) && served !== declared) {
    throw malformed('manifest', `declares ${declared} but was served as ${served}`);
  }
  return declared || (isManifestType(served) || isIndexType(served) ? served : fallback);
}

function descriptorOf(value: unknown, what: string): Descriptor {
  const json = objectOf(value, what);
  const sizeBytes = json['size'];
  if (typeof sizeBytes !== 'number' || !Number.isSafeInteger(sizeBytes) || sizeBytes < 0) {
    throw malformed(what, 'has no valid size');
  }
  return {
    mediaType: textOf(json['mediaType'], what),
    digest: parseDigest(json['digest'], `${what} digest`),
    sizeBytes,
    annotations: textTableOf(json['annotations'], what),
  };
}

function platformOf(value: unknown, what: string): Platform {
  const json = objectOf(value, what);
  const variant = textOf(json['variant'], what);
  return {
    os: textOf(json['os'], what),
    architecture: textOf(json['architecture'], what),
    ...(variant === '' ? {} : { variant }),
  };
}

function unsupported(mediaType: string): VicError {
  return new VicError({
    class: 'NotSupported',
    code: 'OCI_MEDIA_TYPE',
    message: `unsupported media type ${mediaType === '' ? '(none)' : mediaType.slice(0, 200)}`,
  });
}

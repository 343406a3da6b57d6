import { VicError } from '@vic/errors';
import { parseContentDigest } from './digest.ts';
import type { ContentDigest } from './digest.ts';
import { arrayOf, malformed, objectOf, parseJsonObject, textOf, textTableOf } from './fields.ts';
import type { JsonObject } from './fields.ts';
import { MAX_MANIFEST_BYTES } from './manifest.ts';
import { isIndexType, isManifestType, MEDIA_TYPES } from './media-types.ts';

/** A descriptor as a registry sees it: any media type, either digest algorithm. */
export interface ContentDescriptor {
  readonly mediaType: string;
  readonly digest: ContentDigest;
  readonly sizeBytes: number;
  readonly annotations: Readonly<Record<string, string>>;
  /** Empty when the descriptor has none. */
  readonly artifactType: string;
  /** Whether the content is elsewhere, as that of foreign layers is, so that the registry need not have it. */
  readonly external: boolean;
  readonly platform: Readonly<Record<string, unknown>> | undefined;
}

/** A manifest of any kind a registry stores: an image, an artifact, or an index. */
export interface RegistryManifest {
  readonly mediaType: string;
  readonly kind: 'image' | 'index';
  /** Absent in an index. */
  readonly config: ContentDescriptor | undefined;
  readonly layers: readonly ContentDescriptor[];
  /** What an index lists. */
  readonly manifests: readonly ContentDescriptor[];
  readonly subject: ContentDescriptor | undefined;
  /** As declared, else the configuration's media type; empty for an index that declares none. */
  readonly artifactType: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A manifest of 4 MiB could list more; a database row for each would be a burden out of proportion. */
const MAX_ENTRIES = 10_000;
const MAX_MEDIA_TYPE_LENGTH = 255;
const MEDIA_TYPE = /^[A-Za-z0-9][\w!#$&^.+-]{0,126}\/[A-Za-z0-9][\w!#$&^.+-]{0,126}$/;
const FOREIGN = /^application\/vnd\.(?:docker\.image\.rootfs\.foreign\.|oci\.image\.layer\.nondistributable\.)/;
/** What clients send that do not know better; the document then says itself what it is. */
const GENERIC_TYPES: ReadonlySet<string> = new Set(['', 'application/json', 'application/octet-stream', 'text/plain']);

/** Reads a manifest as a registry must: strict about what it references, indifferent to everything else. */
export function parseRegistryManifest(content: Uint8Array, contentType: string): RegistryManifest {
  const json = parseJsonObject(decode(content), MAX_MANIFEST_BYTES, 'manifest');
  const mediaType = mediaTypeOf(json, contentType.split(';')[0]?.trim() ?? '');
  const annotations = textTableOf(json['annotations'], 'manifest annotations');
  const subject = json['subject'] == null ? undefined : descriptorOf(json['subject'], 'manifest subject');
  const declared = mediaTypeText(json['artifactType'], 'manifest artifactType');
  if (isIndexType(mediaType)) {
    if ('layers' in json || 'config' in json) throw malformed('manifest list', 'is both an image and an index');
    if (!Array.isArray(json['manifests'])) throw malformed('manifest list', 'lists no manifests');
    const manifests = descriptorsOf(json['manifests'], 'manifest list entry');
    return {
      mediaType,
      kind: 'index',
      config: undefined,
      layers: [],
      manifests,
      subject,
      artifactType: declared,
      annotations,
    };
  }
  if ('manifests' in json) throw malformed('manifest', 'is both an image and an index');
  const config = descriptorOf(json['config'], 'manifest config');
  const layers = descriptorsOf(json['layers'], 'manifest layer');
  const artifactType = declared === '' ? config.mediaType : declared;
  return { mediaType, kind: 'image', config, layers, manifests: [], subject, artifactType, annotations };
}

function decode(content: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    throw malformed('manifest', 'is not UTF-8');
  }
}

function mediaTypeOf(json: JsonObject, contentType: string): string {
  if (json['schemaVersion'] === 1 || contentType.startsWith('application/vnd.docker.distribution.manifest.v1+')) {
    throw new VicError({
      class: 'NotSupported',
      code: 'OCI_SCHEMA1',
      message: 'Docker Image manifest version 2, schema 1 is not supported',
      remedy: 'Push the image again with a current client.',
    });
  }
  if (json['schemaVersion'] !== 2) throw malformed('manifest', 'has no schemaVersion 2');
  const declared = textOf(json['mediaType'], 'manifest mediaType');
  if (declared !== '' && !GENERIC_TYPES.has(contentType) && declared !== contentType) {
    throw malformed('manifest', `declares ${declared.slice(0, 200)} but was sent as ${contentType.slice(0, 200)}`);
  }
  const fallback = 'manifests' in json ? MEDIA_TYPES.ociIndex : MEDIA_TYPES.ociManifest;
  const mediaType = declared || (GENERIC_TYPES.has(contentType) ? fallback : contentType);
  if (isManifestType(mediaType) || isIndexType(mediaType)) return mediaType;
  throw malformed('manifest', `has the media type ${mediaType.slice(0, 200)}, which is not supported`);
}

function descriptorsOf(value: unknown, what: string): readonly ContentDescriptor[] {
  return arrayOf(value, MAX_ENTRIES, what).map((entry, index) => descriptorOf(entry, `${what} ${index}`));
}

function descriptorOf(value: unknown, what: string): ContentDescriptor {
  const json = objectOf(value, what);
  const sizeBytes = json['size'];
  if (typeof sizeBytes !== 'number' || !Number.isSafeInteger(sizeBytes) || sizeBytes < 0) {
    throw malformed(what, 'has no valid size');
  }
  const mediaType = mediaTypeText(json['mediaType'], `${what} mediaType`);
  const urls = arrayOf(json['urls'], MAX_ENTRIES, `${what} urls`);
  return {
    mediaType,
    digest: parseContentDigest(json['digest'], `${what} digest`),
    sizeBytes,
    annotations: textTableOf(json['annotations'], `${what} annotations`),
    artifactType: mediaTypeText(json['artifactType'], `${what} artifactType`),
    external: urls.length > 0 || FOREIGN.test(mediaType),
    platform: json['platform'] == null ? undefined : objectOf(json['platform'], `${what} platform`),
  };
}

function mediaTypeText(value: unknown, what: string): string {
  const text = textOf(value, what);
  if (text === '') return text;
  if (text.length <= MAX_MEDIA_TYPE_LENGTH && MEDIA_TYPE.test(text.split(';')[0]?.trim() ?? '')) return text;
  throw malformed(what, 'is not a media type');
}

import type { Readable } from 'node:stream';
import { isVicError } from '@vic/errors';
import { MAX_CONFIG_BYTES } from '@vic/oci';
import type { ContentDescriptor, ContentDigest, RegistryManifest } from '@vic/oci';

/** Where configurations are read from: the part of the blob store this needs. */
export interface BlobContent {
  read(digest: ContentDigest): Promise<Readable>;
}

/** What the REST API shows of an artifact beyond its manifest. */
export type ExtraAttributes = Readonly<Record<string, unknown>>;

/** Larger attributes are left out: they are for people to look at, and are read with every list. */
const MAX_ATTRIBUTES_BYTES = 128 * 1024;
/** Many pushes share a configuration: those of one image to several repositories. */
const MAX_CACHED = 256;
const IMAGE_CONFIGS: ReadonlySet<string> = new Set([
  'application/vnd.docker.container.image.v1+json',
  'application/vnd.oci.image.config.v1+json',
]);

/** Reads attributes from the configurations of pushed artifacts. */
export class ConfigAttributes {
  readonly #blobs: BlobContent;
  readonly #cache = new Map<string, ExtraAttributes>();

  constructor(blobs: BlobContent) {
    this.#blobs = blobs;
  }

  /** The attributes; none when the configuration is not JSON, too large, or not there. */
  async of(manifest: RegistryManifest): Promise<ExtraAttributes> {
    const { config } = manifest;
    if (config === undefined || !isReadable(config)) return {};
    const cached = this.#cache.get(config.digest);
    if (cached !== undefined) return cached;
    const json = await this.#readJson(config.digest);
    if (json === undefined) return {};
    const attributes = bounded(attributesOf(config.mediaType, json));
    this.#cache.set(config.digest, attributes);
    if (this.#cache.size > MAX_CACHED) this.#forgetOldest();
    return attributes;
  }

  async #readJson(digest: ContentDigest): Promise<unknown> {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of await this.#blobs.read(digest)) chunks.push(chunk as Buffer);
      return JSON.parse(Buffer.concat(chunks).toString('utf8'));
    } catch (error) {
      // Whether a configuration may be absent is for those to say who check what the manifest references.
      if (error instanceof SyntaxError || isVicError(error, { class: 'NotFound' })) return undefined;
      throw error;
    }
  }

  #forgetOldest(): void {
    const [oldest] = this.#cache.keys();
    if (oldest !== undefined) this.#cache.delete(oldest);
  }
}

function isReadable(config: ContentDescriptor): boolean {
  return /[/+]json$/.test(config.mediaType) && config.sizeBytes > 2 && config.sizeBytes <= MAX_CONFIG_BYTES;
}

function attributesOf(mediaType: string, json: unknown): ExtraAttributes {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return {};
  const fields = json as Record<string, unknown>;
  if (!IMAGE_CONFIGS.has(mediaType)) return fields;
  const { architecture, author, config, created, os } = fields;
  const entries = Object.entries({ architecture, author, config, created, os, 'os.version': fields['os.version'] });
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined && value !== null));
}

function bounded(attributes: ExtraAttributes): ExtraAttributes {
  if (JSON.stringify(attributes).length <= MAX_ATTRIBUTES_BYTES) return attributes;
  const { config: _large, ...small } = attributes;
  return JSON.stringify(small).length <= MAX_ATTRIBUTES_BYTES ? small : {};
}

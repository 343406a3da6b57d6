import { isVicError, VicError } from '@vic/errors';
import {
  digestOfBytes,
  familiarReference,
  isDigest,
  isIndexType,
  MAX_CONFIG_BYTES,
  MEDIA_TYPES,
  parseImageConfig,
  parseIndex,
  parseManifest,
  selectPlatform,
} from '@vic/oci';
import type { Descriptor, Digest, ImageConfig, ImageManifest, ImageReference, Platform } from '@vic/oci';
import { RegistryPool } from '@vic/registry-client';
import type { RegistryCredentials, RegistryPoolOptions, RemoteRegistry } from '@vic/registry-client';

/** How registries are reached. */
export type RegistryClientOptions = RegistryPoolOptions;

/** Options of {@link RegistryClient.resolve}. */
export interface ResolveOptions {
  readonly credentials?: RegistryCredentials;
  readonly platform?: Platform;
  readonly signal: AbortSignal;
}

/** Options of {@link RegistryClient.openBlob}. */
export interface BlobOptions {
  readonly credentials?: RegistryCredentials;
  readonly signal: AbortSignal;
  /** Told how many bytes have arrived. */
  readonly onProgress?: (current: number) => void;
}

/** One image as a registry describes it, everything verified against its digest. */
export interface ResolvedImage {
  /** Digest of what the reference names: of the list, for a multi-platform image. */
  readonly digest: Digest;
  readonly manifestDigest: Digest;
  readonly manifest: ImageManifest;
  /** The manifest's exact bytes. */
  readonly rawManifest: string;
  readonly config: ImageConfig;
  /** The configuration's exact bytes; their digest is the image's id. */
  readonly rawConfig: string;
}

/** A manifest or list as it came. */
interface RawManifest {
  readonly text: string;
  readonly digest: Digest;
  readonly contentType: string;
}

/** Refusals that leave the digest of a tag unknown. */
const UNTOLD: ReadonlySet<string> = new Set(['REGISTRY_DENIED', 'REGISTRY_FAILED', 'REGISTRY_BUSY']);
/** What the engine's containers can run. */
const DEFAULT_PLATFORM: Platform = { os: 'linux', architecture: 'amd64' };

/** A client of Docker and OCI registries. */
export class RegistryClient implements AsyncDisposable {
  readonly #pool: RegistryPool;

  constructor(options: RegistryClientOptions = {}) {
    this.#pool = new RegistryPool({ userAgent: 'vic-imagec/0.1', ...options });
  }

  /** The digest a tag has at the moment, without downloading anything; `undefined` when the registry does not say. */
  async currentDigest(reference: ImageReference, options: ResolveOptions): Promise<Digest | undefined> {
    const registry = await this.#registryOf(reference, options);
    try {
      const head = await registry.headManifest(reference.path, whatOf(reference), options.signal);
      return head !== undefined && isDigest(head.digest) ? head.digest : undefined;
    } catch (error) {
      if (!isVicError(error) || !UNTOLD.has(error.code)) throw error;
      return undefined;
    }
  }

  /** Finds the image of a reference for a platform: its manifest and configuration. */
  async resolve(reference: ImageReference, options: ResolveOptions): Promise<ResolvedImage> {
    const top = await this.#fetchManifest(reference, whatOf(reference), options);
    const chosen = isIndex(top) ? await this.#fetchForPlatform(reference, top, options) : top;
    const manifest = parseManifest(chosen.text, chosen.contentType);
    const rawConfig = await this.#fetchConfig(reference, manifest.config, options);
    const config = parseImageConfig(rawConfig);
    checkFits(reference, manifest, config, options.platform ?? DEFAULT_PLATFORM);
    return { digest: top.digest, manifestDigest: chosen.digest, manifest, rawManifest: chosen.text, config, rawConfig };
  }

  /** A blob's bytes, resumed after breaks; fails at the end when they are not those of the digest. */
  async *openBlob(
    reference: ImageReference,
    blob: Descriptor,
    options: BlobOptions,
  ): AsyncGenerator<Buffer, void, undefined> {
    const registry = await this.#registryOf(reference, options);
    const { signal, onProgress } = options;
    yield* registry.readBlob(reference.path, blob, { signal, ...(onProgress === undefined ? {} : { onProgress }) });
  }

  /** Checks credentials as `docker login` does; gives the identity token when the registry issues one. */
  async login(
    domain: string,
    credentials: RegistryCredentials,
    signal: AbortSignal,
  ): Promise<{ readonly identityToken: string | undefined }> {
    return (await this.#pool.connect(domain, credentials, signal)).login(signal);
  }

  /** Closes all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }

  async #fetchForPlatform(reference: ImageReference, top: RawManifest, options: ResolveOptions): Promise<RawManifest> {
    const wanted = options.platform ?? DEFAULT_PLATFORM;
    const entry = selectPlatform(parseIndex(top.text, top.contentType), wanted);
    if (entry === undefined) {
      throw new VicError({
        class: 'NotFound',
        code: 'REGISTRY_NO_PLATFORM',
        message: `no matching manifest for ${wanted.os}/${wanted.architecture} in the manifest list entries`,
      });
    }
    return this.#fetchManifest(reference, entry.digest, options);
  }

  async #fetchManifest(reference: ImageReference, what: string, options: ResolveOptions): Promise<RawManifest> {
    const registry = await this.#registryOf(reference, options);
    const { bytes, mediaType } = await registry.getManifest(reference.path, what, options.signal);
    return { text: bytes.toString('utf8'), digest: digestOfBytes(bytes), contentType: mediaType };
  }

  async #fetchConfig(reference: ImageReference, descriptor: Descriptor, options: ResolveOptions): Promise<string> {
    if (descriptor.sizeBytes > MAX_CONFIG_BYTES) {
      throw new VicError({
        class: 'InvalidArgument',
        code: 'OCI_MALFORMED',
        message: 'invalid image: configuration is too large',
      });
    }
    return Buffer.concat(await Array.fromAsync(this.openBlob(reference, descriptor, options))).toString('utf8');
  }

  #registryOf(
    reference: ImageReference,
    options: { readonly credentials?: RegistryCredentials; readonly signal: AbortSignal },
  ): Promise<RemoteRegistry> {
    return this.#pool.connect(reference.domain, options.credentials, options.signal);
  }
}

function whatOf(reference: ImageReference): string {
  return reference.digest ?? reference.tag ?? 'latest';
}

function isIndex({ text, contentType }: RawManifest): boolean {
  const served = contentType.split(';')[0]?.trim() ?? '';
  if (isIndexType(served)) return true;
  return served !== MEDIA_TYPES.dockerManifest && served !== MEDIA_TYPES.ociManifest && /"manifests"\s*:/.test(text);
}

/** What the manifest and the configuration say must agree before a single layer is fetched. */
function checkFits(reference: ImageReference, manifest: ImageManifest, config: ImageConfig, platform: Platform): void {
  if (manifest.layers.length !== config.diffIds.length) {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'OCI_MALFORMED',
      message: `invalid image: ${manifest.layers.length} layers in the manifest, ${config.diffIds.length} in the configuration`,
    });
  }
  if (config.os !== platform.os || config.architecture !== platform.architecture) {
    throw new VicError({
      class: 'NotSupported',
      code: 'REGISTRY_WRONG_PLATFORM',
      message: `image ${familiarReference(reference)} is for ${config.os}/${config.architecture}, not ${platform.os}/${platform.architecture}`,
    });
  }
}

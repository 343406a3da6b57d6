import { VicError } from '@vic/errors';
import { SingleFlight } from '@vic/async';
import { HttpClient } from '@vic/http-client';
import type { HttpMethod, HttpResponse, ProxySettings } from '@vic/http-client';
import {
  ACCEPTED_MANIFEST_TYPES,
  digestOfBytes,
  familiarReference,
  isDigest,
  isIndexType,
  MAX_CONFIG_BYTES,
  MAX_MANIFEST_BYTES,
  MEDIA_TYPES,
  parseImageConfig,
  parseIndex,
  parseManifest,
  selectPlatform,
} from '@vic/oci';
import type { Descriptor, Digest, ImageConfig, ImageManifest, ImageReference, Platform } from '@vic/oci';
import { Authorizer } from './authorizer.ts';
import { resumableDownload } from './blob-download.ts';
import type { RegistryCredentials } from './credentials.ts';
import { registryError } from './registry-error.ts';
import { apiUrl, isInsecure, probeScheme } from './registry-host.ts';
import { verifiedStream } from './verified-stream.ts';

/** How registries are reached. */
export interface RegistryClientOptions {
  /** Registries that may be spoken to without verified TLS, or without TLS: hosts, `host:port`, IPv4 ranges. */
  readonly insecureRegistries?: readonly string[];
  /** PEM certificates of authorities that sign registries' certificates, besides the public ones. */
  readonly registryCa?: readonly string[];
  readonly proxy?: ProxySettings;
  readonly userAgent?: string;
  /** A transfer that brings nothing for this long is broken off and resumed. */
  readonly stallTimeoutMs?: number;
  /** Pause before a broken transfer is resumed; doubled while it stays broken. */
  readonly resumeDelayMs?: number;
}

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

/** What the engine's containers can run. */
const DEFAULT_PLATFORM: Platform = { os: 'linux', architecture: 'amd64' };

/** A client of Docker and OCI registries. */
export class RegistryClient implements AsyncDisposable {
  readonly #options: RegistryClientOptions;
  readonly #verified: HttpClient;
  readonly #unverified: HttpClient;
  readonly #schemes = new Map<string, 'http' | 'https'>();
  readonly #probes = new SingleFlight<'http' | 'https'>();

  constructor(options: RegistryClientOptions = {}) {
    this.#options = options;
    const shared = {
      userAgent: options.userAgent ?? 'vic-imagec/0.1',
      idleTimeoutMs: options.stallTimeoutMs ?? 60_000,
      ...(options.proxy === undefined ? {} : { proxy: options.proxy }),
    };
    const tls = options.registryCa === undefined ? {} : { tls: { ca: options.registryCa } };
    this.#verified = new HttpClient({ ...shared, ...tls });
    this.#unverified = new HttpClient({ ...shared, tls: { insecure: true } });
  }

  /** The digest a tag has at the moment, without downloading anything; `undefined` when the registry does not say. */
  async currentDigest(reference: ImageReference, options: ResolveOptions): Promise<Digest | undefined> {
    const response = await this.#manifestRequest(
      'HEAD',
      reference,
      reference.digest ?? reference.tag ?? 'latest',
      options,
    );
    response.discard();
    const digest = response.header('docker-content-digest') ?? '';
    return response.ok && isDigest(digest) ? digest : undefined;
  }

  /** Finds the image of a reference for a platform: its manifest and configuration. */
  async resolve(reference: ImageReference, options: ResolveOptions): Promise<ResolvedImage> {
    const top = await this.#fetchManifest(reference, reference.digest ?? reference.tag ?? 'latest', options);
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
    const { authorizer, scheme } = await this.#endpoint(reference.domain, options.credentials, options.signal);
    const url = apiUrl(reference.domain, scheme, `${reference.path}/blobs/${blob.digest}`);
    const openAt = async (offset: number): Promise<HttpResponse> => {
      const headers = offset === 0 ? {} : { range: `bytes=${offset}-` };
      const response = await authorizer.send({ url, headers, signal: options.signal }, pullScope(reference));
      if (response.status === 200 || response.status === 206) return response;
      throw await registryError(response, reference);
    };
    const download = resumableDownload(openAt, blob.sizeBytes, {
      initialDelayMs: this.#options.resumeDelayMs ?? 500,
      signal: options.signal,
      onProgress: options.onProgress ?? ((): void => undefined),
    });
    yield* verifiedStream(download, { digest: blob.digest, sizeBytes: blob.sizeBytes });
  }

  /** Checks credentials as `docker login` does; gives the identity token when the registry issues one. */
  async login(
    domain: string,
    credentials: RegistryCredentials,
    signal: AbortSignal,
  ): Promise<{ readonly identityToken: string | undefined }> {
    const { authorizer, scheme } = await this.#endpoint(domain, credentials, signal);
    return authorizer.login(apiUrl(domain, scheme), signal);
  }

  /** Closes all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#verified[Symbol.asyncDispose](), this.#unverified[Symbol.asyncDispose]()]);
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
    const response = await this.#manifestRequest('GET', reference, what, options);
    if (!response.ok) throw await registryError(response, reference);
    const bytes = await response.bytes(MAX_MANIFEST_BYTES);
    const digest = digestOfBytes(bytes);
    if (isDigest(what) && what !== digest) throw manifestMismatch(what);
    return { text: bytes.toString('utf8'), digest, contentType: response.header('content-type') ?? '' };
  }

  async #manifestRequest(
    method: HttpMethod,
    reference: ImageReference,
    what: string,
    options: ResolveOptions,
  ): Promise<HttpResponse> {
    const { authorizer, scheme } = await this.#endpoint(reference.domain, options.credentials, options.signal);
    const url = apiUrl(reference.domain, scheme, `${reference.path}/manifests/${what}`);
    const headers = { accept: ACCEPTED_MANIFEST_TYPES.join(', ') };
    return authorizer.send({ method, url, headers, signal: options.signal }, pullScope(reference));
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

  async #endpoint(
    domain: string,
    credentials: RegistryCredentials | undefined,
    signal: AbortSignal,
  ): Promise<{ authorizer: Authorizer; scheme: 'http' | 'https' }> {
    const insecure = isInsecure(domain, this.#options.insecureRegistries ?? []);
    const http = insecure ? this.#unverified : this.#verified;
    const scheme = insecure ? await this.#schemeOf(domain, signal) : 'https';
    return { authorizer: this.#authorizerFor(domain, http, credentials), scheme };
  }

  async #schemeOf(domain: string, signal: AbortSignal): Promise<'http' | 'https'> {
    const known = this.#schemes.get(domain);
    if (known !== undefined) return known;
    const scheme = await this.#probes.run(domain, async () => probeScheme(domain, this.#unverified, signal));
    this.#schemes.set(domain, scheme);
    return scheme;
  }

  /** One per user object and registry: a pull's requests share their tokens, two users' never do. */
  #authorizerFor(domain: string, http: HttpClient, credentials: RegistryCredentials | undefined): Authorizer {
    const owner = credentials ?? ANONYMOUS;
    const ofOwner = this.#authorizers.getOrInsertComputed(owner, () => new Map<string, Authorizer>());
    return ofOwner.getOrInsertComputed(domain, () => new Authorizer(http, credentials));
  }

  readonly #authorizers = new WeakMap<object, Map<string, Authorizer>>();
}

const ANONYMOUS = {};

function pullScope(reference: ImageReference): string {
  return `repository:${reference.path}:pull`;
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

function manifestMismatch(digest: Digest): VicError {
  return new VicError({
    class: 'DataLoss',
    code: 'REGISTRY_CHECKSUM',
    message: `manifest verification failed for digest ${digest}`,
  });
}

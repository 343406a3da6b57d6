import type { HttpResponse } from '@vic/http-client';
import {
  ACCEPTED_MANIFEST_TYPES,
  algorithmOf,
  contentDigestOf,
  digestOfBytes,
  isContentDigest,
  MAX_MANIFEST_BYTES,
} from '@vic/oci';
import type { ContentDigest } from '@vic/oci';
import { VicError } from '@vic/errors';
import type { BandwidthLimit } from './bandwidth.ts';
import { resumableDownload } from './blob-download.ts';
import { uploadBlob } from './blob-upload.ts';
import type { BlobUpload } from './blob-upload.ts';

import { nextPage } from './page-link.ts';
import { fallbackTag, parseReferrers } from './referrers.ts';
import type { ReferrerDescriptor } from './referrers.ts';
import type { RegistryAction } from './registry-error.ts';
import { registryError } from './registry-error.ts';
import type { RegistryHttp } from './registry-http.ts';
import { verifiedStream } from './verified-stream.ts';

/** What a registry says of a manifest without sending it. */
export interface ManifestHead {
  readonly digest: ContentDigest;
  readonly mediaType: string;
  readonly sizeBytes: number;
}

/** A manifest's exact bytes. */
export interface RemoteManifest extends ManifestHead {
  readonly bytes: Buffer;
}

/** A blob to be read. */
export interface BlobDescriptor {
  readonly digest: ContentDigest;
  /** Absent when only the digest is known. */
  readonly sizeBytes?: number;
}

/** How a blob is read. */
export interface BlobReading {
  readonly signal: AbortSignal;
  /** Told how many bytes have arrived. */
  readonly onProgress?: (current: number) => void;
  readonly limit?: BandwidthLimit;
  /** Begins at this byte; the digest is then not checked. */
  readonly from?: number;
}

const MAX_LIST_BYTES = 16 * 1024 * 1024;
const PAGE_SIZE = 1000;
/** A registry that links pages for ever is left after this many. */
const MAX_PAGES = 10_000;

/** One registry as one user sees it. Names are repositories inside it (`library/busybox`). */
export class RemoteRegistry {
  readonly #http: RegistryHttp;
  readonly #resumeDelayMs: number;

  constructor(http: RegistryHttp, options: { readonly resumeDelayMs?: number } = {}) {
    this.#http = http;
    this.#resumeDelayMs = options.resumeDelayMs ?? 500;
  }

  /** Host, with its port. */
  get domain(): string {
    return this.#http.address.domain;
  }

  /** Fails unless the registry speaks the protocol and takes the credentials. */
  async ping(signal: AbortSignal): Promise<void> {
    await this.login(signal);
  }

  /** Checks credentials as `docker login` does; gives the identity token when the registry issues one. */
  login(signal: AbortSignal): Promise<{ readonly identityToken: string | undefined }> {
    return this.#http.login(signal);
  }

  /** What a tag or digest names at the moment; `undefined` when it names nothing. */
  async headManifest(name: string, reference: string, signal: AbortSignal): Promise<ManifestHead | undefined> {
    const response = await this.#manifest('HEAD', name, reference, signal);
    const digest = response.header('docker-content-digest') ?? '';
    if (response.status === 404) {
      response.discard();
      return undefined;
    }
    if (!response.ok) throw await this.#error(response, name, reference);
    response.discard();
    // Not every registry answers HEAD with the digest.
    if (!isContentDigest(digest)) return this.getManifest(name, reference, signal);
    const sizeBytes = Number(response.header('content-length') ?? 0);
    return { digest, mediaType: mediaTypeOf(response), sizeBytes };
  }

  /** A manifest, verified when it was asked for by digest; `NotFound` when there is none. */
  async getManifest(name: string, reference: string, signal: AbortSignal): Promise<RemoteManifest> {
    const response = await this.#manifest('GET', name, reference, signal);
    if (!response.ok) throw await this.#error(response, name, reference);
    const bytes = await response.bytes(MAX_MANIFEST_BYTES);
    const mediaType = mediaTypeOf(response);
    const said = response.header('docker-content-digest') ?? '';
    const digest = isContentDigest(reference)
      ? reference
      : isContentDigest(said) && said.startsWith('sha512:')
        ? said
        : digestOfBytes(bytes);
    if (contentDigestOf(algorithmOf(digest), bytes) !== digest) throw manifestMismatch(digest);
    return { digest, mediaType, sizeBytes: bytes.length, bytes };
  }

  /** Stores a manifest under a tag or its digest; tells whether the registry will list it as a referrer of its subject. */
  async putManifest(
    name: string,
    reference: string,
    manifest: { readonly bytes: Uint8Array; readonly mediaType: string },
    signal: AbortSignal,
  ): Promise<{ readonly subjectKnown: boolean }> {
    const response = await this.#http.send({
      method: 'PUT',
      path: `${name}/manifests/${reference}`,
      scope: pushScope(name),
      headers: { 'content-type': manifest.mediaType },
      body: manifest.bytes,
      signal,
    });
    if (!response.ok) throw await this.#error(response, name, reference, 'push');
    response.discard();
    return { subjectKnown: response.header('oci-subject') !== undefined };
  }

  /**
   * Deletes what a tag or digest names: by tag only the tag, where the registry can do that. Gives whether there
   * was something.
   */
  async deleteManifest(name: string, reference: string, signal: AbortSignal): Promise<boolean> {
    const response = await this.#http.send({
      method: 'DELETE',
      path: `${name}/manifests/${reference}`,
      scope: `repository:${name}:delete,pull`,
      signal,
    });
    if (!response.ok && response.status !== 404) throw await this.#error(response, name, reference, 'delete');
    response.discard();
    return response.ok;
  }

  /** Size of a blob, or `undefined` when the repository does not have it. */
  async statBlob(name: string, digest: ContentDigest, signal: AbortSignal): Promise<number | undefined> {
    const path = `${name}/blobs/${digest}`;
    const response = await this.#http.send({ method: 'HEAD', path, scope: pullScope(name), signal });
    if (!response.ok && response.status !== 404) throw await this.#error(response, name, digest);
    response.discard();
    return response.ok ? Number(response.header('content-length') ?? 0) : undefined;
  }

  /** A blob's bytes, resumed after breaks; fails at the end when they are not those of the digest. */
  async *readBlob(name: string, blob: BlobDescriptor, reading: BlobReading): AsyncGenerator<Buffer, void, undefined> {
    const start = reading.from ?? 0;
    const openAt = async (offset: number): Promise<HttpResponse> => {
      const response = await this.#http.send({
        path: `${name}/blobs/${blob.digest}`,
        scope: pullScope(name),
        headers: offset === 0 ? {} : { range: `bytes=${offset}-` },
        signal: reading.signal,
      });
      if (response.status === 200 || response.status === 206) return response;
      throw await this.#error(response, name, blob.digest);
    };
    const download = resumableDownload(openAt, blob.sizeBytes, {
      initialDelayMs: this.#resumeDelayMs,
      signal: reading.signal,
      onProgress: reading.onProgress ?? ((): void => undefined),
      from: start,
    });
    const limited = reading.limit === undefined ? download : reading.limit.limit(download, reading.signal);
    if (start === 0) yield* verifiedStream(limited, blob);
    else for await (const chunk of limited) yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }

  /** Brings a blob into a repository: not at all when it is there, by mounting, or by an upload that resumes. */
  async writeBlob(name: string, upload: BlobUpload, signal: AbortSignal): Promise<'present' | 'mounted' | 'uploaded'> {
    if ((await this.statBlob(name, upload.digest, signal)) !== undefined) return 'present';
    return uploadBlob({ http: this.#http, resumeDelayMs: this.#resumeDelayMs }, name, upload, signal);
  }

  /** A repository's tags, page by page; none when there is no such repository. */
  listTags(name: string, signal: AbortSignal): AsyncGenerator<string, void, undefined> {
    return this.#list(
      { path: `${name}/tags/list?n=${PAGE_SIZE}`, scope: pullScope(name), field: 'tags', name },
      signal,
    );
  }

  /** The registry's repositories, page by page. */
  listRepositories(signal: AbortSignal): AsyncGenerator<string, void, undefined> {
    const path = `_catalog?n=${PAGE_SIZE}`;
    return this.#list({ path, scope: 'registry:catalog:*', field: 'repositories', name: '_catalog' }, signal);
  }

  /** What refers to a manifest as its subject, by the referrers API or, where there is none, by the fallback tag. */
  async listReferrers(name: string, subject: ContentDigest, signal: AbortSignal): Promise<ReferrerDescriptor[]> {
    const found: ReferrerDescriptor[] = [];
    let page: string | URL | undefined = `${name}/referrers/${subject}`;
    for (let pages = 0; page !== undefined && pages < MAX_PAGES; pages++) {
      const response: HttpResponse = await this.#http.send({ path: page, scope: pullScope(name), signal });
      if (!response.ok) {
        response.discard();
        if (response.status === 429) throw await this.#error(response, name, subject);
        return pages === 0 ? this.#referrersByTag(name, subject, signal) : found;
      }
      found.push(...parseReferrers(await response.text(MAX_MANIFEST_BYTES)));
      page = nextPage(response.header('link'), response.url);
    }
    return found;
  }

  async #referrersByTag(name: string, subject: ContentDigest, signal: AbortSignal): Promise<ReferrerDescriptor[]> {
    const response = await this.#manifest('GET', name, fallbackTag(subject), signal);
    if (response.ok) return parseReferrers(await response.text(MAX_MANIFEST_BYTES));
    response.discard();
    return [];
  }

  async *#list(
    list: { readonly path: string; readonly scope: string; readonly field: string; readonly name: string },
    signal: AbortSignal,
  ): AsyncGenerator<string, void, undefined> {
    let page: string | URL | undefined = list.path;
    for (let pages = 0; page !== undefined && pages < MAX_PAGES; pages++) {
      const response: HttpResponse = await this.#http.send({ path: page, scope: list.scope, signal });
      if (response.status === 404) return response.discard();
      if (!response.ok) throw await this.#error(response, list.name, '');
      const document = (await response.json(MAX_LIST_BYTES)) as Readonly<Record<string, unknown>> | null;
      const entries = document?.[list.field];
      if (Array.isArray(entries)) for (const entry of entries) if (typeof entry === 'string') yield entry;
      page = nextPage(response.header('link'), response.url);
    }
  }

  #manifest(method: 'GET' | 'HEAD', name: string, reference: string, signal: AbortSignal): Promise<HttpResponse> {
    return this.#http.send({
      method,
      path: `${name}/manifests/${reference}`,
      scope: pullScope(name),
      headers: { accept: ACCEPTED_MANIFEST_TYPES.join(', ') },
      signal,
    });
  }

  #error(response: HttpResponse, name: string, reference: string, action: RegistryAction = 'pull'): Promise<VicError> {
    const named = reference.startsWith('sha256:')
      ? { digest: reference as `sha256:${string}` }
      : reference === ''
        ? {}
        : { tag: reference };
    return registryError(response, { domain: this.domain, path: name, ...named }, action);
  }
}

function pullScope(name: string): string {
  return `repository:${name}:pull`;
}

/** The scope of a change; without `pull`, some token services grant nothing. */
function pushScope(name: string): string {
  return `repository:${name}:pull,push`;
}

function mediaTypeOf(response: HttpResponse): string {
  return response.header('content-type')?.split(';')[0]?.trim() ?? '';
}

function manifestMismatch(digest: ContentDigest): VicError {
  return new VicError({
    class: 'DataLoss',
    code: 'REGISTRY_CHECKSUM',
    message: `manifest verification failed for digest ${digest}`,
  });
}

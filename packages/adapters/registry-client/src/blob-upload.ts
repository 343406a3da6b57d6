import { delay } from '@vic/async';
import { isVicError, VicError } from '@vic/errors';
import type { HttpResponse } from '@vic/http-client';
import type { ContentDigest } from '@vic/oci';
import type { BandwidthLimit } from './bandwidth.ts';

import { registryError } from './registry-error.ts';
import type { RegistryHttp } from './registry-http.ts';
import { rechunk } from './rechunk.ts';

/** A blob to be stored in a repository. */
export interface BlobUpload {
  readonly digest: ContentDigest;
  readonly sizeBytes: number;
  /** Opens the content from a byte on; called again when an upload is resumed. */
  readonly open: (offset: number) => AsyncIterable<Uint8Array>;
  /** A repository of the same registry that is likely to have the blob. */
  readonly mountFrom?: string;
  /** Uploads in pieces of this size, for registries and proxies that limit requests; one stream when absent. */
  readonly chunkBytes?: number;
  readonly limit?: BandwidthLimit;
  /** Told how many bytes have been sent. */
  readonly onProgress?: (current: number) => void;
}

/** What an upload needs of its registry. */
export interface UploadDeps {
  readonly http: RegistryHttp;
  /** Pause before a broken upload is resumed; doubled while it stays broken. */
  readonly resumeDelayMs: number;
}

/** What stays the same from the first byte to the last. */
interface Transfer {
  readonly deps: UploadDeps;
  readonly name: string;
  readonly upload: BlobUpload;
  readonly signal: AbortSignal;
}

interface Session {
  location: URL;
  offset: number;
}

/** Breaks without a byte more at the registry between them. */
const MAX_FRUITLESS_BREAKS = 5;
const MAX_BREAKS = 50;
const MAX_DELAY_MS = 10_000;

/** Mounts or uploads a blob. What a break has left at the registry is not sent again. */
export async function uploadBlob(
  deps: UploadDeps,
  name: string,
  upload: BlobUpload,
  signal: AbortSignal,
): Promise<'mounted' | 'uploaded'> {
  const transfer: Transfer = { deps, name, upload, signal };
  let session = await begin(transfer);
  if (session === undefined) return 'mounted';
  let fruitless = 0;
  for (let breaks = 1; ; breaks++) {
    const startedAt = session.offset;
    try {
      await sendRest(transfer, session);
      await finish(transfer, session);
      return 'uploaded';
    } catch (error) {
      signal.throwIfAborted();
      if (!isTransient(error) || breaks >= MAX_BREAKS || fruitless + 1 >= MAX_FRUITLESS_BREAKS) {
        await cancel(transfer, session);
        throw error;
      }
    }
    await delay(Math.min(deps.resumeDelayMs * 2 ** fruitless, MAX_DELAY_MS), signal);
    session = await resume(transfer, session);
    if (session === undefined) return 'mounted';
    fruitless = session.offset > startedAt ? 0 : fruitless + 1;
  }
}

async function begin(transfer: Transfer): Promise<Session | undefined> {
  const { deps, name, upload, signal } = transfer;
  const from = upload.mountFrom === name ? undefined : upload.mountFrom;
  const query = from === undefined ? '' : `?mount=${upload.digest}&from=${encodeURIComponent(from)}`;
  const scope = `${scopeOf(name)}${from === undefined ? '' : ` repository:${from}:pull`}`;
  const path = `${name}/blobs/uploads/${query}`;
  const response = await deps.http.send({ method: 'POST', path, scope, signal, headers: { 'content-length': '0' } });
  if (response.status === 201) {
    response.discard();
    return undefined;
  }
  // A mount that is refused (the other repository is not ours to read) is an upload instead.
  if (!response.ok && from !== undefined && response.status !== 429 && response.status < 500) {
    response.discard();
    const { mountFrom: _refused, ...withoutMount } = upload;
    return begin({ ...transfer, upload: withoutMount });
  }
  if (!response.ok) throw await refusal(deps, response, name);
  response.discard();
  return { location: locationOf(response), offset: 0 };
}

/** Sends what the registry does not have yet, and keeps the session's place. */
async function sendRest(transfer: Transfer, session: Session): Promise<void> {
  const { upload, signal } = transfer;
  if (session.offset >= upload.sizeBytes) return;
  const source = counted(upload, session.offset, signal);
  if (upload.chunkBytes === undefined) {
    const length = upload.sizeBytes - session.offset;
    await patch(transfer, session, { body: source, length });
    session.offset = upload.sizeBytes;
    return;
  }
  for await (const chunk of rechunk(source, upload.chunkBytes)) {
    await patch(transfer, session, { body: chunk, length: chunk.length, range: true });
    session.offset += chunk.length;
  }
}

async function patch(
  { deps, name, signal }: Transfer,
  session: Session,
  content: { readonly body: Uint8Array | AsyncIterable<Uint8Array>; readonly length: number; readonly range?: true },
): Promise<void> {
  const { body, length } = content;
  const isRest = session.offset > 0 || content.range === true;
  const response = await deps.http.send({
    method: 'PATCH',
    path: session.location,
    scope: scopeOf(name),
    headers: {
      'content-type': 'application/octet-stream',
      'content-length': String(length),
      ...(isRest ? { 'content-range': `${session.offset}-${session.offset + length - 1}` } : {}),
    },
    body,
    signal,
  });
  if (response.status === 401 && !(body instanceof Uint8Array)) {
    response.discard();
    throw broken('The registry asked for a new token in the middle of an upload.');
  }
  if (response.status === 416) {
    response.discard();
    throw broken('The registry has another part of the upload than expected.');
  }
  if (!response.ok) throw await refusal(deps, response, name);
  response.discard();
  session.location = locationOf(response);
}

async function finish({ deps, name, upload, signal }: Transfer, session: Session): Promise<void> {
  const path = new URL(session.location);
  path.searchParams.set('digest', upload.digest);
  const headers = { 'content-type': 'application/octet-stream', 'content-length': '0' };
  const response = await deps.http.send({ method: 'PUT', path, scope: scopeOf(name), headers, signal });
  if (!response.ok) throw await refusal(deps, response, name);
  response.discard();
}

/** Asks how far the registry got; begins again when it has forgotten the upload. */
async function resume(transfer: Transfer, session: Session): Promise<Session | undefined> {
  const { deps, name, upload, signal } = transfer;
  let response: HttpResponse;
  try {
    response = await deps.http.send({ path: session.location, scope: scopeOf(name), signal });
  } catch (error) {
    if (!isTransient(error)) throw error;
    // Still out of reach: the next try finds out the same way.
    return session;
  }
  response.discard();
  if (!response.ok) return response.status < 500 ? begin(transfer) : session;
  const last = /^(?:bytes=)?\d+-(\d+)$/.exec(response.header('range') ?? '')?.[1];
  // `0-0` is both one byte and none; none is the safe reading, a server that has one answers 416.
  const offset = last === undefined || last === '0' ? 0 : Number(last) + 1;
  if (offset > upload.sizeBytes) return begin(transfer);
  return { location: response.header('location') === undefined ? session.location : locationOf(response), offset };
}

async function cancel({ deps, name }: Transfer, session: Session): Promise<void> {
  const signal = AbortSignal.timeout(5_000);
  try {
    (await deps.http.send({ method: 'DELETE', path: session.location, scope: scopeOf(name), signal })).discard();
  } catch {
    // The registry removes uploads that nobody finishes; the first error is the one to tell.
  }
}

async function* counted(
  upload: BlobUpload,
  offset: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const content = upload.open(offset);
  let sent = offset;
  for await (const chunk of upload.limit?.limit(content, signal) ?? content) {
    yield chunk;
    sent += chunk.length;
    upload.onProgress?.(sent);
  }
}

function locationOf(response: HttpResponse): URL {
  const location = URL.parse(response.header('location') ?? '', response.url);
  const isDowngrade = response.url.protocol === 'https:' && location?.protocol !== 'https:';
  if (location !== null && !isDowngrade && /^https?:$/.test(location.protocol)) return location;
  throw new VicError({
    class: 'Unavailable',
    code: 'REGISTRY_LOCATION',
    message: `${response.url.host} answered an upload without a usable Location.`,
  });
}

function refusal(deps: UploadDeps, response: HttpResponse, name: string): Promise<VicError> {
  return registryError(response, { domain: deps.http.address.domain, path: name }, 'push');
}

function scopeOf(name: string): string {
  return `repository:${name}:pull,push`;
}

function broken(message: string): VicError {
  return new VicError({ class: 'Unavailable', code: 'REGISTRY_UPLOAD_BROKEN', message });
}

function isTransient(error: unknown): boolean {
  return isVicError(error, { class: 'Unavailable' }) || isVicError(error, { class: 'DeadlineExceeded' });
}

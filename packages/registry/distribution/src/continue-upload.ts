import { type HttpReply, type HttpRequest, noteRequest } from '@vic/http';
import { OffsetConflict } from '@vic/blob';
import { clientSignal } from './client-signal.ts';
import { invalidDigest, invalidSize, invalidUpload } from './distribution-error.ts';
import type { DistributionOptions } from './distribution-options.ts';
import { digestIn } from './distribution-route.ts';
import { contentLength, hasBody } from './request-body.ts';
import type { RepositoryContext } from './request-context.ts';
import { uploadHeaders } from './start-upload.ts';
import { commitBlob } from './store-blob.ts';

/** `PATCH` of an upload: the next chunk, or, without `Content-Range`, a stream of any length. */
export async function appendToUpload(
  options: DistributionOptions,
  context: RepositoryContext,
  id: string,
): Promise<HttpReply> {
  const signal = clientSignal(context.reply);
  const sizeBytes = await append(options, context, { id, signal });
  noteRequest(context.request, { isRoutine: true });
  return context.reply
    .code(202)
    .headers(uploadHeaders(context.place.repository, id, sizeBytes))
    .send();
}

/** `PUT` of an upload: the last chunk, if any, and the digest of the whole. */
export async function finishUpload(
  options: DistributionOptions,
  context: RepositoryContext,
  id: string,
): Promise<HttpReply> {
  const parameter = context.query.get('digest');
  if (parameter === null) throw invalidDigest('');
  const digest = digestIn(parameter);
  const signal = clientSignal(context.reply);
  const sizeBytes = hasBody(context.request)
    ? await append(options, context, { id, signal })
    : await options.blobs.uploadSize(id);
  await options.store.admitBlob(context.place, context.actor, { digest, sizeBytes });
  return commitBlob(options, context, { id, digest, signal });
}

/** `GET` of an upload: where to go on. */
export async function uploadStatus(
  options: DistributionOptions,
  { reply, place }: RepositoryContext,
  id: string,
): Promise<HttpReply> {
  const sizeBytes = await options.blobs.uploadSize(id);
  return reply
    .code(204)
    .headers(withoutLength(uploadHeaders(place.repository, id, sizeBytes)))
    .send();
}

/** `DELETE` of an upload. */
export async function cancelUpload(
  options: DistributionOptions,
  { reply }: RepositoryContext,
  id: string,
): Promise<HttpReply> {
  await options.blobs.cancelUpload(id);
  return reply.code(204).header('docker-upload-uuid', id).send();
}

async function append(
  options: DistributionOptions,
  { request, reply, place, actor }: RepositoryContext,
  upload: { readonly id: string; readonly signal: AbortSignal },
): Promise<number> {
  const { id, signal } = upload;
  const offset = await options.blobs.uploadSize(id);
  try {
    const start = startOfChunk(request) ?? offset;
    if (start !== offset) throw new OffsetConflict(start, offset);
    const length = contentLength(request);
    if (length !== undefined) {
      await options.store.admitBlob(place, actor, { digest: undefined, sizeBytes: offset + length });
    }
    return await options.blobs.append(id, offset, request.raw, signal);
  } catch (error) {
    if (error instanceof OffsetConflict)
      void reply.headers(withoutLength(uploadHeaders(place.repository, id, error.sizeBytes)));
    throw error;
  }
}

/** What `Content-Range` says of where a chunk belongs, found consistent with its length. */
function startOfChunk(request: HttpRequest): number | undefined {
  const header = request.headers['content-range'];
  if (header === undefined) return undefined;
  const [, first, last] = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d{1,15}|\*))?$/.exec(header.trim()) ?? [];
  if (first === undefined || last === undefined) {
    throw invalidUpload(`${JSON.stringify(header.slice(0, 100))} is not a range of bytes`);
  }
  const length = contentLength(request);
  const spanned = Number(last) - Number(first) + 1;
  if (length !== undefined && length !== spanned) {
    throw invalidSize(`the range spans ${spanned} bytes, the body has ${length}`);
  }
  return Number(first);
}

function withoutLength(headers: Record<string, string>): Record<string, string> {
  const { 'content-length': _none, ...rest } = headers;
  return rest;
}

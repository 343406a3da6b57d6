import { isVicError } from '@vic/errors';
import type { HttpReply } from '@vic/http';
import type { ContentDigest } from '@vic/oci';
import type { LinkedBlob } from '@vic/repositories';
import { parseByteRange } from './byte-range.ts';
import { clientSignal } from './client-signal.ts';
import { unknownBlob } from './distribution-error.ts';
import type { DistributionOptions } from './distribution-options.ts';
import { namesDigest } from './entity-tag.ts';
import type { RepositoryContext } from './request-context.ts';

/** Content named by its digest never changes. */
const CACHE_CONTROL = 'private, max-age=31536000, immutable';

/** `HEAD /v2/<name>/blobs/<digest>`: whether the repository can serve it, and that it stays for a push to follow. */
export async function headBlob(
  options: DistributionOptions,
  context: RepositoryContext,
  digest: ContentDigest,
): Promise<HttpReply> {
  const { reply, request, place } = context;
  const blob = await options.store.findBlob(place.repository, digest, { keep: true });
  const sizeBytes =
    blob !== undefined && (await options.blobs.stat(digest)) !== undefined
      ? blob.sizeBytes
      : await upstreamSize(options, context, digest);
  if (sizeBytes === undefined) throw unknownBlob(digest);
  describe(reply, digest);
  if (namesDigest(request.headers['if-none-match'], digest)) return reply.code(304).send();
  return reply.header('content-length', sizeBytes).send();
}

/** `GET /v2/<name>/blobs/<digest>`: all of it or one range. */
export async function getBlob(
  options: DistributionOptions,
  context: RepositoryContext,
  digest: ContentDigest,
): Promise<HttpReply> {
  const { reply, request, place } = context;
  const blob = await options.store.findBlob(place.repository, digest);
  if (blob === undefined) return getFromUpstream(options, context, digest);
  if (namesDigest(request.headers['if-none-match'], digest)) {
    describe(reply, digest);
    return reply.code(304).send();
  }
  try {
    return await sendContent(options, context, blob);
  } catch (error) {
    // Damaged content was moved out of the way; a copy of another registry's can be fetched again.
    if (isVicError(error, { code: 'BLOB_UNKNOWN' })) return getFromUpstream(options, context, digest);
    throw error;
  }
}

/** `DELETE /v2/<name>/blobs/<digest>`: the repository serves it no more; the collector frees its space. */
export async function deleteBlob(
  options: DistributionOptions,
  context: RepositoryContext,
  digest: ContentDigest,
): Promise<HttpReply> {
  const wasThere = await options.store.unlinkBlob(context.place.repository, digest);
  if (!wasThere) throw unknownBlob(digest);
  return context.reply.code(202).headers({ 'docker-content-digest': digest, 'content-length': '0' }).send();
}

async function sendContent(
  options: DistributionOptions,
  { reply, request }: RepositoryContext,
  { digest, sizeBytes }: LinkedBlob,
): Promise<HttpReply> {
  const condition = request.headers['if-range'];
  const wanted =
    typeof condition === 'string' && !namesDigest(condition, digest)
      ? ({ kind: 'whole' } as const)
      : parseByteRange(request.headers.range, sizeBytes);
  switch (wanted.kind) {
    case 'whole': {
      const content = await options.blobs.read(digest);
      describe(reply, digest);
      return reply.header('content-length', sizeBytes).send(content);
    }
    case 'part': {
      const { start, end } = wanted.range;
      const content = await options.blobs.read(digest, wanted.range);
      describe(reply, digest);
      return reply
        .code(206)
        .headers({ 'content-length': end - start + 1, 'content-range': `bytes ${start}-${end}/${sizeBytes}` })
        .send(content);
    }
    case 'unsatisfiable':
      return reply
        .code(416)
        .headers({ 'content-range': `bytes */${sizeBytes}`, 'content-type': 'application/json' })
        .send({ errors: [{ code: 'SIZE_INVALID', message: `the blob has ${sizeBytes} bytes` }] });
  }
}

async function getFromUpstream(
  options: DistributionOptions,
  context: RepositoryContext,
  digest: ContentDigest,
): Promise<HttpReply> {
  const { reply, place, actor } = context;
  const signal = clientSignal(reply);
  const blob =
    options.upstream !== undefined && (await options.upstream.isProxy(place.project))
      ? await options.upstream.blob({ ...place, actor, signal }, digest)
      : undefined;
  if (blob === undefined) throw unknownBlob(digest);
  describe(reply, digest);
  return reply.header('content-length', blob.sizeBytes).send(blob.content);
}

async function upstreamSize(
  options: DistributionOptions,
  { reply, place, actor }: RepositoryContext,
  digest: ContentDigest,
): Promise<number | undefined> {
  if (options.upstream === undefined || !(await options.upstream.isProxy(place.project))) return undefined;
  return options.upstream.blobSize({ ...place, actor, signal: clientSignal(reply) }, digest);
}

function describe(reply: HttpReply, digest: ContentDigest): void {
  void reply.headers({
    'accept-ranges': 'bytes',
    'cache-control': CACHE_CONTROL,
    'content-type': 'application/octet-stream',
    'docker-content-digest': digest,
    etag: `"${digest}"`,
  });
}

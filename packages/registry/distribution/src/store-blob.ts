import { pollUntil } from '@vic/async';
import { VicError, isVicError } from '@vic/errors';
import type { HttpReply } from '@vic/http';
import type { ContentDigest } from '@vic/oci';
import { clientSignal } from './client-signal.ts';
import type { DistributionOptions } from './distribution-options.ts';
import { contentLength } from './request-body.ts';
import type { RepositoryContext } from './request-context.ts';

/** The collector removes a condemned blob within moments; longer than this it has died, and resumes later. */
const MAX_WAIT_FOR_COLLECTOR_MS = 20_000;
const COLLECTOR_POLL_MS = 100;

/** Takes a blob that comes in one request. */
export async function pushWhole(
  options: DistributionOptions,
  context: RepositoryContext,
  digest: ContentDigest,
): Promise<HttpReply> {
  const { request, reply, place, actor } = context;
  const signal = clientSignal(reply);
  await options.store.admitBlob(place, actor, { digest, sizeBytes: contentLength(request) ?? 0 });
  await waitForCollector(options, digest, signal);
  const { sizeBytes } = await options.blobs.put(digest, request.raw, signal);
  if (contentLength(request) === undefined) await options.store.admitBlob(place, actor, { digest, sizeBytes });
  await link(options, context, { digest, sizeBytes });
  return blobIsThere(context, digest);
}

/** Makes an upload a blob of the repository. */
export async function commitBlob(
  options: DistributionOptions,
  context: RepositoryContext,
  upload: { readonly id: string; readonly digest: ContentDigest; readonly signal: AbortSignal },
): Promise<HttpReply> {
  await waitForCollector(options, upload.digest, upload.signal);
  const { sizeBytes } = await options.blobs.commit(upload.id, upload.digest, upload.signal);
  await link(options, context, { digest: upload.digest, sizeBytes });
  return blobIsThere(context, upload.digest);
}

/** The answer to a blob that has arrived, however it did. */
export function blobIsThere({ reply, place }: RepositoryContext, digest: ContentDigest): HttpReply {
  return reply
    .code(201)
    .headers({
      location: `/v2/${place.repository}/blobs/${digest}`,
      'docker-content-digest': digest,
      'content-length': '0',
    })
    .send();
}

/** A blob that the collector is removing is stored again only once it is gone. */
async function waitForCollector(
  options: DistributionOptions,
  digest: ContentDigest,
  signal: AbortSignal,
): Promise<void> {
  if ((await options.store.blobState(digest)) !== 'condemned') return;
  const isGone = async (): Promise<true | undefined> =>
    (await options.store.blobState(digest)) === 'condemned' ? undefined : true;
  try {
    await pollUntil(
      isGone,
      COLLECTOR_POLL_MS,
      AbortSignal.any([signal, AbortSignal.timeout(MAX_WAIT_FOR_COLLECTOR_MS)]),
    );
  } catch (error) {
    if (signal.aborted) throw error;
    throw beingCollected(digest);
  }
}

async function link(
  options: DistributionOptions,
  { place }: RepositoryContext,
  blob: { readonly digest: ContentDigest; readonly sizeBytes: number },
): Promise<void> {
  try {
    await options.store.linkBlob(place, blob);
  } catch (error) {
    // Condemned between the wait and now: the client's next attempt stores it anew.
    throw isVicError(error, { code: 'BLOB_CONDEMNED' }) ? beingCollected(blob.digest) : error;
  }
  // Linked, it stays; but it may have been condemned, removed and forgotten between its commit and the link.
  if ((await options.blobs.stat(blob.digest)) !== undefined) return;
  await options.store.unlinkBlob(place.repository, blob.digest);
  throw beingCollected(blob.digest);
}

function beingCollected(digest: ContentDigest): VicError {
  return new VicError({
    class: 'Unavailable',
    code: 'DISTRIBUTION_BLOB_COLLECTED',
    message: `the blob ${digest} is just being collected`,
    remedy: 'Push it again.',
  });
}

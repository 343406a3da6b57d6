import { type HttpReply, noteRequest } from '@vic/http';
import { algorithmOf, isRepositoryName } from '@vic/oci';
import type { ContentDigest, DigestAlgorithm } from '@vic/oci';
import { uploadRange } from './distribution-error-response.ts';
import { invalidDigest, invalidName } from './distribution-error.ts';
import type { DistributionOptions } from './distribution-options.ts';
import { digestIn } from './distribution-route.ts';
import { refuseProxy } from './proxy-project.ts';
import type { RepositoryContext } from './request-context.ts';
import { blobIsThere, pushWhole } from './store-blob.ts';

/** `POST /v2/<name>/blobs/uploads/`: mounts a blob, takes a whole one, or begins an upload. */
export async function startUpload(options: DistributionOptions, context: RepositoryContext): Promise<HttpReply> {
  await refuseProxy(options, context.place.project);
  const { query } = context;
  const mount = query.get('mount');
  if (mount !== null) return mountOrBegin(options, context, digestIn(mount));
  const digest = query.get('digest');
  if (digest !== null) return pushWhole(options, context, digestIn(digest));
  const algorithm = query.get('digest-algorithm');
  if (algorithm !== null && algorithm !== 'sha256' && algorithm !== 'sha512') throw invalidDigest(algorithm);
  return begin(options, context, algorithm ?? 'sha256');
}

/** The source of a mount, as the access of the request needs to know it. */
export function mountSource(query: URLSearchParams): string | undefined {
  const from = query.get('from') ?? '';
  if (!query.has('mount') || from === '') return undefined;
  if (!isRepositoryName(from)) throw invalidName(from);
  return from;
}

async function mountOrBegin(
  options: DistributionOptions,
  context: RepositoryContext,
  digest: ContentDigest,
): Promise<HttpReply> {
  const { store, blobs } = options;
  const mayPull = async (name: string): Promise<boolean> =>
    context.access.allows({ type: 'repository', name, actions: ['pull'] });
  const isStored = (await blobs.stat(digest)) !== undefined;
  const mounted = isStored
    ? await store.mountBlob(context.place, context.actor, { digest, from: mountSource(context.query), mayPull })
    : undefined;
  return mounted === undefined ? begin(options, context, algorithmOf(digest)) : blobIsThere(context, digest);
}

async function begin(
  options: DistributionOptions,
  { request, reply, place }: RepositoryContext,
  algorithm: DigestAlgorithm,
): Promise<HttpReply> {
  const id = await options.blobs.createUpload(algorithm);
  noteRequest(request, { isRoutine: true });
  if (options.minChunkBytes !== undefined) void reply.header('oci-chunk-min-length', options.minChunkBytes);
  return reply
    .code(202)
    .headers(uploadHeaders(place.repository, id, 0))
    .send();
}

/** What every answer about an upload says. */
export function uploadHeaders(repository: string, id: string, sizeBytes: number): Record<string, string> {
  return {
    location: `/v2/${repository}/blobs/uploads/${id}`,
    range: uploadRange(sizeBytes),
    'docker-upload-uuid': id,
    'content-length': '0',
  };
}

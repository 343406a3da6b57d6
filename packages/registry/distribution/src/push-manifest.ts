import { VicError } from '@vic/errors';
import type { HttpReply } from '@vic/http';
import { MAX_MANIFEST_BYTES, digestOfBytes, isContentDigest, isTagName, parseRegistryManifest } from '@vic/oci';
import type { ContentDigest } from '@vic/oci';
import { invalidDigest } from './distribution-error.ts';
import type { DistributionOptions } from './distribution-options.ts';
import { refuseProxy } from './proxy-project.ts';
import { readSmallBody } from './request-body.ts';
import type { RepositoryContext } from './request-context.ts';

/** Five times what the specification asks for, and what fits into a URL. */
const MAX_TAGS = 50;

/** `PUT /v2/<name>/manifests/<reference>[?tag=…]`. */
export async function pushManifest(
  options: DistributionOptions,
  context: RepositoryContext,
  reference: string,
): Promise<HttpReply> {
  const { request, reply, place, actor, query } = context;
  await refuseProxy(options, place.project);
  const tags = tagsOf(reference, query);
  const content = await readSmallBody(request, MAX_MANIFEST_BYTES);
  const digest = digestOf(reference, content);
  const mediaType = request.headers['content-type'] ?? '';
  const { artifact } = await options.store.putManifest(place, actor, { content, mediaType, digest, tags });
  const subject = subjectOf(content, mediaType);
  if (subject !== undefined) void reply.header('oci-subject', subject);
  const accepted = query.getAll('tag');
  if (accepted.length > 0) void reply.header('oci-tag', accepted.join(', '));
  return reply
    .code(201)
    .headers({
      location: `/v2/${place.repository}/manifests/${artifact.digest}`,
      'docker-content-digest': artifact.digest,
      'content-length': '0',
    })
    .send();
}

/** `DELETE /v2/<name>/manifests/<reference>`: by tag only the tag, by digest the artifact with all its tags. */
export async function deleteManifest(
  options: DistributionOptions,
  { reply, place, actor }: RepositoryContext,
  reference: string,
): Promise<HttpReply> {
  if (isTagName(reference)) await options.store.deleteTag(place, actor, reference);
  else if (isContentDigest(reference)) await options.store.deleteArtifact(place, actor, reference);
  else throw invalidDigest(reference);
  return reply.code(202).header('content-length', '0').send();
}

function tagsOf(reference: string, query: URLSearchParams): readonly string[] {
  const named = query.getAll('tag');
  if (named.length > MAX_TAGS) {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'DISTRIBUTION_TAGS_TOO_MANY',
      message: `at most ${MAX_TAGS} tags can be given`,
    });
  }
  return [...new Set(reference.includes(':') ? named : [reference, ...named])];
}

function digestOf(reference: string, content: Uint8Array): ContentDigest {
  if (isContentDigest(reference)) return reference;
  if (reference.includes(':')) throw invalidDigest(reference);
  return digestOfBytes(content);
}

/** Only a subject the manifest declares is confirmed; one that a tag implies is not. */
function subjectOf(content: Uint8Array, mediaType: string): ContentDigest | undefined {
  return parseRegistryManifest(content, mediaType).subject?.digest;
}

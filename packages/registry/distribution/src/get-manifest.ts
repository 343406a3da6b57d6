import type { HttpReply } from '@vic/http';
import { MEDIA_TYPES, isContentDigest, isIndexType, isTagName, parseRegistryManifest } from '@vic/oci';
import type { ServedManifest } from '@vic/repositories';
import { type AcceptedTypes, parseAccept } from './accepted-types.ts';
import { clientSignal } from './client-signal.ts';
import { invalidDigest, unknownManifest } from './distribution-error.ts';
import type { DistributionOptions } from './distribution-options.ts';
import { namesDigest } from './entity-tag.ts';
import { isProxy } from './proxy-project.ts';
import type { RepositoryContext } from './request-context.ts';

/** `GET` and `HEAD /v2/<name>/manifests/<reference>`; only the former counts as a pull. */
export async function getManifest(
  options: DistributionOptions,
  context: RepositoryContext,
  reference: string,
): Promise<HttpReply> {
  const { request, reply } = context;
  requireReference(reference);
  const accepted = parseAccept(request.headers.accept);
  const served = await find(options, context, { reference, accepted });
  const fitting = await negotiate(options, context, { served, accepted, reference });
  const { digest, mediaType, content } = fitting.manifest;
  void reply.headers({ 'docker-content-digest': digest, etag: `"${digest}"` });
  if (namesDigest(request.headers['if-none-match'], digest)) return reply.code(304).send();
  void reply.headers({ 'content-type': mediaType, 'content-length': content.length });
  return request.method === 'HEAD' ? reply.send() : reply.send(asBuffer(content));
}

/** A reference that can be neither is not looked for. */
function requireReference(reference: string): void {
  if (reference.includes(':')) {
    if (!isContentDigest(reference)) throw invalidDigest(reference);
  } else if (!isTagName(reference)) throw unknownManifest(reference);
}

async function find(
  options: DistributionOptions,
  context: RepositoryContext,
  wanted: { readonly reference: string; readonly accepted: AcceptedTypes },
): Promise<ServedManifest> {
  const { place, actor, request, reply } = context;
  const isHead = request.method === 'HEAD';
  if (await isProxy(options, place.project)) {
    const found = await options.upstream?.manifest(
      { ...place, actor, signal: clientSignal(reply) },
      { reference: wanted.reference, accept: wanted.accepted.types, head: isHead },
    );
    if (found === undefined) throw unknownManifest(wanted.reference);
    if (found.warning !== undefined) void reply.header('warning', found.warning);
    return found.served;
  }
  const served = await options.store.pullManifest(place, actor, {
    reference: wanted.reference,
    counted: !isHead,
  });
  if (served === undefined) throw unknownManifest(wanted.reference);
  return served;
}

/**
 * What a client gets that cannot read what is stored, as Docker's registry has it: a client older than lists of
 * manifests gets, by tag, the list's image for linux/amd64; anything else is not there for it.
 */
async function negotiate(
  options: DistributionOptions,
  context: RepositoryContext,
  found: { readonly served: ServedManifest; readonly accepted: AcceptedTypes; readonly reference: string },
): Promise<ServedManifest> {
  const { served, accepted, reference } = found;
  const { mediaType, content } = served.manifest;
  if (accepted.accepts(mediaType)) return served;
  if (mediaType === MEDIA_TYPES.dockerList && served.tag !== undefined) {
    const list = parseRegistryManifest(content, mediaType);
    const image = list.manifests.find(
      ({ platform }) => platform?.['os'] === 'linux' && platform['architecture'] === 'amd64',
    );
    const child =
      image === undefined ? undefined : await options.store.getManifest(context.place.repository, image.digest);
    if (child !== undefined && accepted.accepts(child.manifest.mediaType)) return child;
  }
  if (mediaType === MEDIA_TYPES.dockerManifest) return served;
  const what = isIndexType(mediaType) ? 'index' : 'manifest';
  throw unknownManifest(reference, `OCI ${what} found, but accept header does not support OCI ${what}s`);
}

function asBuffer(content: Uint8Array): Buffer {
  return Buffer.isBuffer(content) ? content : Buffer.from(content.buffer, content.byteOffset, content.byteLength);
}

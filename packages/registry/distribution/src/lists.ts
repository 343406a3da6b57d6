import type { HttpReply } from '@vic/http';
import { MEDIA_TYPES, isRepositoryName, isTagName } from '@vic/oci';
import type { ContentDigest } from '@vic/oci';
import { clientSignal } from './client-signal.ts';
import { invalidPage, unknownName } from './distribution-error.ts';
import type { DistributionOptions } from './distribution-options.ts';
import { isProxy } from './proxy-project.ts';
import type { RepositoryContext, RequestContext } from './request-context.ts';

/** Clients that ask for all tags expect all; beyond this they have to follow `Link`. */
const MAX_TAGS = 50_000;
const DEFAULT_REPOSITORIES = 1000;
const MAX_REPOSITORIES = 10_000;

/** `GET /v2/<name>/tags/list[?n=&last=]`. */
export async function listTags(options: DistributionOptions, context: RepositoryContext): Promise<HttpReply> {
  const { reply, place, query, actor } = context;
  const { limit, after } = pageOf(query, { fallback: MAX_TAGS, max: MAX_TAGS, isKey: isTagName });
  const page = { after, limit: limit + 1 };
  const found = (await isProxy(options, place.project))
    ? await options.upstream?.tags({ ...place, actor, signal: clientSignal(reply) }, page)
    : await options.store.listTags(place.repository, page);
  if (found === undefined) throw unknownName(place.repository);
  const tags = found.slice(0, limit);
  linkNext(context, `/v2/${place.repository}/tags/list`, { limit, more: found.length > limit, last: tags.at(-1) });
  return sendJson(reply, { name: place.repository, tags });
}

/** `GET /v2/_catalog[?n=&last=]`: the repositories the caller may see. */
export async function listCatalog(options: DistributionOptions, context: RequestContext): Promise<HttpReply> {
  const { limit, after } = pageOf(context.query, {
    fallback: DEFAULT_REPOSITORIES,
    max: MAX_REPOSITORIES,
    isKey: isRepositoryName,
  });
  const visible = await context.access.visibleProjects();
  const found = await options.store.listCatalog(visible, { after, limit: limit + 1 });
  const repositories = found.slice(0, limit);
  linkNext(context, '/v2/_catalog', { limit, more: found.length > limit, last: repositories.at(-1) });
  return sendJson(context.reply, { repositories });
}

/** `GET /v2/<name>/referrers/<digest>[?artifactType=]`: never 404, as the specification wants it. */
export async function listReferrers(
  options: DistributionOptions,
  context: RepositoryContext,
  subject: ContentDigest,
): Promise<HttpReply> {
  const { reply, place, query, actor } = context;
  const artifactType = query.get('artifactType') ?? '';
  const filter = artifactType === '' ? undefined : artifactType;
  const found =
    (await isProxy(options, place.project)) && options.upstream !== undefined
      ? await options.upstream.referrers({ ...place, actor, signal: clientSignal(reply) }, subject, filter)
      : await options.store.listReferrers(place.repository, subject, filter);
  const manifests = (found ?? []).map((referrer) => ({
    mediaType: referrer.mediaType,
    digest: referrer.digest,
    size: referrer.sizeBytes,
    ...(referrer.artifactType === '' ? {} : { artifactType: referrer.artifactType }),
    ...(Object.keys(referrer.annotations).length === 0 ? {} : { annotations: referrer.annotations }),
  }));
  if (filter !== undefined) void reply.header('oci-filters-applied', 'artifactType');
  void reply.header('x-total-count', manifests.length);
  return reply
    .type(MEDIA_TYPES.ociIndex)
    .send(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests })));
}

function pageOf(
  query: URLSearchParams,
  bounds: { readonly fallback: number; readonly max: number; readonly isKey: (text: string) => boolean },
): { readonly limit: number; readonly after: string | undefined } {
  const n = query.get('n') ?? '';
  if (n !== '' && !/^\d{1,9}$/.test(n)) throw invalidPage(`n=${n.slice(0, 20)}`);
  const last = query.get('last') ?? '';
  if (last !== '' && !bounds.isKey(last)) throw invalidPage(`last=${last.slice(0, 255)}`);
  return {
    limit: n === '' ? bounds.fallback : Math.min(Number(n), bounds.max),
    after: last === '' ? undefined : last,
  };
}

function linkNext(
  { reply }: RequestContext,
  path: string,
  page: { readonly limit: number; readonly more: boolean; readonly last: string | undefined },
): void {
  if (!page.more || page.last === undefined) return;
  const parameters = new URLSearchParams({ last: page.last, n: String(page.limit) });
  void reply.header('link', `<${path}?${parameters.toString()}>; rel="next"`);
}

/** Serialized here: the lists are long, and need no schema. */
function sendJson(reply: HttpReply, body: object): HttpReply {
  return reply.type('application/json').send(Buffer.from(JSON.stringify(body)));
}

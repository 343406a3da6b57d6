import { toVicError } from '@vic/errors';
import { type HttpApplication, type HttpReply, type HttpRequest, noteRequest, streamingBodies } from '@vic/http';
import { deleteBlob, getBlob, headBlob } from './blobs.ts';
import { appendToUpload, cancelUpload, finishUpload, uploadStatus } from './continue-upload.ts';
import type { WantedAccess } from './distribution-access.ts';
import { API_VERSION_HEADER, distributionErrorResponse } from './distribution-error-response.ts';
import { unsupported } from './distribution-error.ts';
import type { DistributionOptions } from './distribution-options.ts';
import { type DistributionRoute, parseDistributionRoute } from './distribution-route.ts';
import { getManifest } from './get-manifest.ts';
import { listCatalog, listReferrers, listTags } from './lists.ts';
import { deleteManifest, pushManifest } from './push-manifest.ts';
import { type RepositoryContext, type RequestContext, admit, inRepository } from './request-context.ts';
import { mountSource, startUpload } from './start-upload.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
const READS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/** Registers `/v2`: the OCI distribution API, with its own form of errors. */
export async function registerDistribution(app: HttpApplication, options: DistributionOptions): Promise<void> {
  await app.register(
    streamingBodies((scope) => {
      scope.setErrorHandler((error, request, reply) => sendError(options, { error, request, reply }));
      scope.addHook('onRequest', (_request, reply, done) => {
        void reply.headers(API_VERSION_HEADER);
        done();
      });
      for (const url of ['/v2/', '/v2/*']) {
        scope.route({ method: METHODS, url, handler: async (request, reply) => serve(options, request, reply) });
      }
    }),
  );
}

async function serve(options: DistributionOptions, request: HttpRequest, reply: HttpReply): Promise<HttpReply> {
  const url = request.originalUrl;
  const at = url.indexOf('?');
  const route = parseDistributionRoute(at === -1 ? url : url.slice(0, at));
  if (route === undefined) throw unsupported(`${request.method} ${url}`);
  const query = new URLSearchParams(at === -1 ? '' : url.slice(at + 1));
  const context = await admit(options, { request, reply, query }, wantedAccess(route, request.method, query));
  return handle(options, route, context);
}

async function handle(
  options: DistributionOptions,
  route: DistributionRoute,
  context: RequestContext,
): Promise<HttpReply> {
  const { method } = context.request;
  switch (route.kind) {
    case 'base':
      if (!READS.has(method)) throw unsupported(`${method} of the base`);
      return context.reply.type('application/json').send('{}');
    case 'catalog':
      if (method !== 'GET') throw unsupported(`${method} of the catalog`);
      return listCatalog(options, context);
    default:
      return handleInRepository(options, route, inRepository(context, route.name));
  }
}

type RepositoryRoute = Exclude<DistributionRoute, { readonly kind: 'base' | 'catalog' }>;

async function handleInRepository(
  options: DistributionOptions,
  route: RepositoryRoute,
  here: RepositoryContext,
): Promise<HttpReply> {
  const { method } = here.request;
  switch (route.kind) {
    case 'tags':
      if (method === 'GET') return listTags(options, here);
      break;
    case 'referrers':
      if (method === 'GET') return listReferrers(options, here, route.digest);
      break;
    case 'uploads':
      if (method === 'POST') return startUpload(options, here);
      break;
    case 'blob':
      if (method === 'HEAD') return headBlob(options, here, route.digest);
      if (method === 'GET') return getBlob(options, here, route.digest);
      if (method === 'DELETE') return deleteBlob(options, here, route.digest);
      break;
    case 'upload':
      return handleUpload(options, here, route.id);
    case 'manifest':
      if (READS.has(method)) return getManifest(options, here, route.reference);
      if (method === 'PUT') return pushManifest(options, here, route.reference);
      if (method === 'DELETE') return deleteManifest(options, here, route.reference);
      break;
  }
  throw unsupported(`${method} of ${route.kind}`);
}

async function handleUpload(options: DistributionOptions, here: RepositoryContext, id: string): Promise<HttpReply> {
  switch (here.request.method) {
    case 'GET':
    case 'HEAD':
      return uploadStatus(options, here, id);
    case 'PATCH':
      return appendToUpload(options, here, id);
    case 'PUT':
      return finishUpload(options, here, id);
    case 'DELETE':
      return cancelUpload(options, here, id);
    default:
      throw unsupported(`${here.request.method} of an upload`);
  }
}

/** What a request needs, in the words of the token protocol. */
function wantedAccess(
  route: DistributionRoute,
  method: string,
  query: URLSearchParams,
): { readonly access: readonly WantedAccess[]; readonly useful: readonly WantedAccess[]; readonly changes: boolean } {
  const changes = !READS.has(method);
  switch (route.kind) {
    case 'base':
      return { access: [], useful: [], changes };
    case 'catalog':
      return { access: [{ type: 'registry', name: 'catalog', actions: ['*'] }], useful: [], changes };
    case 'uploads':
    case 'upload': {
      const from = route.kind === 'uploads' ? mountSource(query) : undefined;
      const useful = from === undefined ? [] : [{ type: 'repository', name: from, actions: ['pull'] } as const];
      return { access: [{ type: 'repository', name: route.name, actions: ['pull', 'push'] }], useful, changes };
    }
    default:
      return { access: [{ type: 'repository', name: route.name, actions: actionsOf(method) }], useful: [], changes };
  }
}

function actionsOf(method: string): readonly string[] {
  if (method === 'DELETE') return ['delete'];
  return READS.has(method) ? ['pull'] : ['pull', 'push'];
}

async function sendError(
  options: DistributionOptions,
  failed: { readonly error: unknown; readonly request: HttpRequest; readonly reply: HttpReply },
): Promise<HttpReply> {
  const error = toVicError(failed.error);
  noteRequest(failed.request, { error });
  const { status, headers, body } = distributionErrorResponse(error);
  // A client that goes away in the middle of its upload is nothing to worry about; what arrived is kept.
  const isGone = failed.reply.raw.destroyed;
  if (!isGone && (error.class === 'Internal' || error.class === 'DataLoss')) {
    const path = failed.request.originalUrl.split('?')[0];
    options.logger.error('Request failed', { method: failed.request.method, path, error: error.stack });
  }
  for (const header of ['content-length', 'content-type', 'etag', 'cache-control', 'docker-content-digest']) {
    failed.reply.removeHeader(header);
  }
  return failed.reply
    .code(status)
    .headers(headers ?? {})
    .type('application/json')
    .send(body);
}

import { nameOf } from '@vic/authz';
import { type HttpReply, type HttpRequest, noteRequest } from '@vic/http';
import { withBreakGlass } from '@vic/policies';
import type { Actor, RepositoryPlace } from '@vic/repositories';
import type { Access, WantedAccess } from './distribution-access.ts';
import { readOnly, unknownProject } from './distribution-error.ts';
import type { DistributionOptions } from './distribution-options.ts';

/** One request, after its access was granted. */
export interface RequestContext {
  readonly request: HttpRequest;
  readonly reply: HttpReply;
  readonly query: URLSearchParams;
  readonly access: Access;
  readonly actor: Actor;
}

/** A request about a repository. */
export interface RepositoryContext extends RequestContext {
  readonly place: RepositoryPlace;
}

/** Set by a registry that replicates to this one; see {@link replicatedFrom}. */
const REPLICATED_FROM_HEADER = 'x-vic-replicated-from';
const ENDPOINT_NAME = /^[\w .:/@-]{1,255}$/;
const MAX_USER_AGENT = 512;

/** Asks for access; `changes` says that the request is refused while the registry is read-only. */
export async function admit(
  options: DistributionOptions,
  http: { readonly request: HttpRequest; readonly reply: HttpReply; readonly query: URLSearchParams },
  wanted: {
    readonly access: readonly WantedAccess[];
    readonly useful?: readonly WantedAccess[];
    readonly changes: boolean;
  },
): Promise<RequestContext> {
  const { request } = http;
  const access = await options.access.authorize({
    method: request.method,
    authorization: request.headers.authorization,
    host: request.headers.host,
    address: request.ip,
    wanted: wanted.access,
    ...(wanted.useful === undefined ? {} : { useful: wanted.useful }),
  });
  noteRequest(request, { user: nameOf(access.principal) });
  if (wanted.changes && (await options.isReadOnly())) throw readOnly();
  const userAgent = request.headers['user-agent']?.slice(0, MAX_USER_AGENT);
  const origin = wanted.changes ? replicatedFrom(request) : undefined;
  const actor = {
    principal: access.principal,
    address: request.ip,
    ...(userAgent === undefined ? {} : { userAgent }),
    ...(origin === undefined ? {} : { replicatedFrom: origin }),
  };
  return { ...http, access, actor: withBreakGlass(actor, request) };
}

/** The request as one about a repository; a project that is not there has none. */
export function inRepository(context: RequestContext, name: string): RepositoryContext {
  const { project } = context.access;
  if (project === undefined || !name.startsWith(`${project.name}/`)) {
    throw unknownProject(name, ['POST', 'PUT', 'PATCH'].includes(context.request.method));
  }
  return { ...context, place: { project, repository: name } };
}

/** Where a copy comes from. Believed of whoever may change the repository: it only keeps a copy from going back. */
function replicatedFrom(request: HttpRequest): string | undefined {
  const value = request.headers[REPLICATED_FROM_HEADER];
  return typeof value === 'string' && ENDPOINT_NAME.test(value) ? value : undefined;
}

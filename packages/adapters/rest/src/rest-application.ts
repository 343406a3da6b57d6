import { type Permission, type Principal, type ProjectIdentity, nameOf } from '@vic/authz';
import { VicError } from '@vic/errors';
import { type HttpApplication, type HttpReply, type HttpRequest, noteRequest, requestIdOf } from '@vic/http';
import type { Logger } from '@vic/log';
import { type ApiInfo, apiDocument, describeApi } from './api-document.ts';
import type { RestServices } from './rest-services.ts';
import type { RoutePermission } from './route-permission.ts';
import { UnknownFields } from './unknown-fields.ts';

/** The routes of one package, to be registered below the API's prefix. */
export type RestRoutes = (app: HttpApplication) => void;

interface RequestState {
  readonly principal: Principal;
  readonly services: RestServices;
  project: ProjectIdentity | undefined;
  subject: string | undefined;
}

const states = new WeakMap<HttpRequest, RequestState>();

/** Options of {@link registerRest}. */
export interface RestOptions {
  readonly prefix: string;
  readonly services: RestServices;
  readonly logger: Logger;
  /** Given when the API is to describe itself at `/openapi.json`. */
  readonly api?: ApiInfo;
}

/** A route as the permission matrix lists it. */
export interface DeclaredRoute {
  readonly method: string;
  readonly url: string;
  readonly permission: RoutePermission;
}

/**
 * Registers routes under `prefix` with everything they have in common: request ids, authentication, the
 * permission each route declares, read-only mode, audit.
 *
 * A route that declares no permission is refused when it is registered. Gives the routes as declared.
 */
export async function registerRest(
  app: HttpApplication,
  options: RestOptions,
  routes: readonly RestRoutes[],
): Promise<readonly DeclaredRoute[]> {
  const declared: DeclaredRoute[] = [];
  await app.register(
    async (scope) => {
      const rest = scope as unknown as HttpApplication;
      if (options.api !== undefined) await describeApi(scope, options.api);
      rest.addHook('onRoute', (route) => {
        const { permission } = route.config ?? {};
        if (permission === undefined) throw new Error(`${String(route.method)} ${route.url} declares no permission`);
        for (const method of [route.method].flat()) declared.push({ method, url: route.url, permission });
      });
      const unknownFields = new UnknownFields(options.prefix);
      rest.addHook('preValidation', async (request) => unknownFields.check(request));
      rest.addHook('onRequest', async (request, reply) => admit(options.services, request, reply));
      const records = new Set<Promise<void>>();
      rest.addHook('onResponse', async (request, reply) => {
        const record = audit(options, request, reply).finally(() => records.delete(record));
        records.add(record);
        await record;
      });
      // What they are written to may be closed next.
      rest.addHook('onClose', async () => void (await Promise.all(records)));
      for (const register of options.api === undefined ? routes : [apiDocument, ...routes]) register(rest);
    },
    { prefix: options.prefix },
  );
  return declared;
}

/** Who makes the request. */
export function principalOf(request: HttpRequest): Principal {
  return stateOf(request).principal;
}

/** The project a `project` route was called for. */
export function projectOf(request: HttpRequest): ProjectIdentity {
  const { project } = stateOf(request);
  if (project === undefined) throw new Error(`${request.url} is not a route of a project`);
  return project;
}

/** Refuses the request unless its principal may; for `object` routes, after reading what the object belongs to. */
export async function requirePermission(
  request: HttpRequest,
  permission: Permission,
  project?: ProjectIdentity,
): Promise<void> {
  const state = stateOf(request);
  state.project = project ?? state.project;
  if (await state.services.authorizer.isAllowed(state.principal, permission, project)) return;
  throw refusal(state.principal, permission);
}

/** Whether the request's principal may; for answers that show more to some. */
export async function isPermitted(
  request: HttpRequest,
  permission: Permission,
  project?: ProjectIdentity,
): Promise<boolean> {
  const { principal, services } = stateOf(request);
  return services.authorizer.isAllowed(principal, permission, project);
}

/** Names what the request changes, for its audit record. */
export function auditSubject(request: HttpRequest, name: string, project?: ProjectIdentity): void {
  const state = stateOf(request);
  state.subject = name;
  state.project = project ?? state.project;
}

async function admit(services: RestServices, request: HttpRequest, reply: HttpReply): Promise<void> {
  void reply.header('x-request-id', requestIdOf(request));
  const principal = await services.authenticate({
    method: request.method,
    authorization: request.headers.authorization,
    cookie: request.headers.cookie,
    csrfToken: textHeader(request, 'x-harbor-csrf-token'),
    address: request.ip,
  });
  noteRequest(request, { user: nameOf(principal) });
  const state: RequestState = { principal, services, project: undefined, subject: undefined };
  states.set(request, state);
  await authorize(request, state);
  await refuseWhenReadOnly(request, state);
}

async function authorize(request: HttpRequest, state: RequestState): Promise<void> {
  const { permission } = request.routeOptions.config;
  if (permission === undefined || permission.scope === 'public') return;
  if (permission.scope === 'authenticated' || permission.scope === 'object') {
    // What an object route allows to whom is for its handler to ask; a public project's objects are for all.
    if (permission.scope === 'authenticated' && state.principal.kind === 'anonymous') throw unauthenticated();
    return;
  }
  if (permission.scope === 'project') state.project = await projectIn(request, state);
  if (await state.services.authorizer.isAllowed(state.principal, permission, state.project)) return;
  throw refusal(state.principal, permission);
}

/** A private project is indistinguishable from one that is not there to those who may not read it. */
async function projectIn(request: HttpRequest, state: RequestState): Promise<ProjectIdentity> {
  const parameters = request.params as Readonly<Record<string, string>>;
  const nameOrId = parameters['project_name_or_id'] ?? parameters['project_name'] ?? parameters['project_id'] ?? '';
  const isName = textHeader(request, 'x-is-resource-name') === 'true' || 'project_name' in parameters;
  const project = await state.services.findProject(nameOrId, isName);
  if (state.principal.kind === 'anonymous' && project?.public !== true) throw unauthenticated();
  const readable =
    project !== undefined &&
    (await state.services.authorizer.isAllowed(state.principal, { resource: 'project', action: 'read' }, project));
  if (project !== undefined && readable) return project;
  throw new VicError({
    class: project === undefined ? 'NotFound' : 'PermissionDenied',
    code: project === undefined ? 'PROJECT_NOT_FOUND' : 'PROJECT_FORBIDDEN',
    message: project === undefined ? `project ${nameOrId.slice(0, 255)} not found` : 'forbidden',
  });
}

async function refuseWhenReadOnly(request: HttpRequest, { services }: RequestState): Promise<void> {
  const { permission, audit: audited } = request.routeOptions.config;
  const changes = !['GET', 'HEAD', 'OPTIONS'].includes(request.method);
  const exempt =
    audited?.operation === 'login' ||
    audited?.operation === 'logout' ||
    (permission !== undefined && 'resource' in permission && permission.resource === 'configuration');
  if (!changes || exempt || !(await services.isReadOnly())) return;
  throw new VicError({
    class: 'PermissionDenied',
    code: 'READ_ONLY_DENIED',
    message: 'The system is in read only mode. Any modification is prohibited.',
  });
}

async function audit(
  { services, logger }: { readonly services: RestServices; readonly logger: Logger },
  request: HttpRequest,
  reply: HttpReply,
): Promise<void> {
  const route = request.routeOptions.config.audit;
  const state = states.get(request);
  if (route === undefined || state === undefined) return;
  const path = request.originalUrl.split('?')[0] ?? '';
  try {
    await services.record({
      ...route,
      principal: state.principal,
      resource: state.subject ?? path,
      project: state.project,
      succeeded: reply.statusCode < 400,
      address: request.ip,
      method: request.method,
      path,
    });
  } catch (error) {
    logger.error('An operation could not be recorded', { path, principal: nameOf(state.principal), error });
  }
}

function stateOf(request: HttpRequest): RequestState {
  const state = states.get(request);
  if (state === undefined) throw new Error(`${request.url} is not a route of the REST API`);
  return state;
}

function refusal(principal: Principal, { resource, action }: Permission): VicError {
  if (principal.kind === 'anonymous') return unauthenticated();
  return new VicError({
    class: 'PermissionDenied',
    code: 'PERMISSION_REFUSED',
    message: `${nameOf(principal)} may not ${action} ${resource} here.`,
    remedy: 'Ask an administrator of the project, or of the system, for the role that may.',
  });
}

function unauthenticated(): VicError {
  return new VicError({ class: 'Unauthenticated', code: 'UNAUTHENTICATED', message: 'unauthorized' });
}

function textHeader(request: HttpRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

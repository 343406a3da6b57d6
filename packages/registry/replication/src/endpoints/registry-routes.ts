import { withDeadline } from '@vic/async';
import { describeError, VicError } from '@vic/errors';
import { Type } from '@vic/http';
import type { HttpApplication } from '@vic/http';
import { auditSubject, parseListQuery, permits, sendPage } from '@vic/rest';
import type { RestRoutes } from '@vic/rest';
import { ADAPTERS, ADAPTER_TYPES } from '../peers/adapter-catalog.ts';
import type { PeerFactory } from '../peers/peer-factory.ts';
import {
  endpointDocument,
  NewRegistryBody,
  RegistryPingBody,
  RegistryUpdateBody,
  settingsOfNew,
  settingsOfPing,
  settingsOfUpdate,
} from './endpoint-document.ts';
import type { EndpointSettings } from './registry-endpoint.ts';
import type { RegistryEndpoints } from './registry-endpoints.ts';
import { validateEndpoint } from './validate-endpoint.ts';

/** What the routes of endpoints work with. */
export interface RegistryRoutesDeps {
  readonly endpoints: RegistryEndpoints;
  readonly factory: PeerFactory;
}

const PING_TIMEOUT_MS = 15_000;
const LIST_FIELDS = {
  filter: ['name', 'url', 'type', 'id'],
  sort: ['id', 'name', 'url', 'type', 'creation_time'],
};
const IdParameters = Type.Object({ id: Type.Integer({ minimum: 0 }) });
const ADMINISTRATION = { scope: 'system', resource: 'registry' } as const;

/** The routes of `/registries` and of what kinds of registries there are. */
export function registryRoutes(deps: RegistryRoutesDeps): RestRoutes {
  return (app) => {
    registerChanges(app, deps);
    registerReading(app, deps);
    registerAdapters(app);
  };
}

function registerChanges(app: HttpApplication, { endpoints, factory }: RegistryRoutesDeps): void {
  const audited = (operation: 'create' | 'update' | 'delete') => ({ operation, resourceType: 'registry' });
  app.post(
    '/registries',
    { ...permits({ ...ADMINISTRATION, action: 'create' }, audited('create')), schema: { body: NewRegistryBody } },
    async (request, reply) => {
      const settings = validateEndpoint(settingsOfNew(request.body));
      auditSubject(request, settings.name);
      await requireHealthy(factory, settings);
      const { id } = await endpoints.create(settings);
      return reply
        .code(201)
        .header('location', `${pathOf(request.originalUrl)}/${id}`)
        .send();
    },
  );
  app.put(
    '/registries/:id',
    {
      ...permits({ ...ADMINISTRATION, action: 'update' }, audited('update')),
      schema: { params: IdParameters, body: RegistryUpdateBody },
    },
    async (request, reply) => {
      const current = await endpoints.get(request.params.id);
      auditSubject(request, current.name);
      const settings = validateEndpoint(settingsOfUpdate(current, request.body));
      await requireHealthy(factory, settings);
      await endpoints.update(current.id, settings);
      return reply.code(200).send();
    },
  );
  app.delete(
    '/registries/:id',
    { ...permits({ ...ADMINISTRATION, action: 'delete' }, audited('delete')), schema: { params: IdParameters } },
    async (request, reply) => {
      auditSubject(request, (await endpoints.get(request.params.id)).name);
      await endpoints.delete(request.params.id);
      return reply.code(200).send();
    },
  );
}

function registerReading(app: HttpApplication, { endpoints, factory }: RegistryRoutesDeps): void {
  app.get('/registries', permits({ ...ADMINISTRATION, action: 'list' }), async (request, reply) => {
    const query = withName(parseListQuery(request, LIST_FIELDS), request.query);
    const page = await endpoints.list(query);
    return sendPage(request, reply, query, { ...page, items: page.items.map(endpointDocument) });
  });
  app.get(
    '/registries/:id',
    { ...permits({ ...ADMINISTRATION, action: 'read' }), schema: { params: IdParameters } },
    async (request) => endpointDocument(await endpoints.get(request.params.id)),
  );
  app.post(
    '/registries/ping',
    { ...permits({ ...ADMINISTRATION, action: 'read' }), schema: { body: RegistryPingBody } },
    async (request, reply) => {
      const { id } = request.body;
      const current = id === undefined || id === null ? undefined : await endpoints.get(id);
      await requireHealthy(factory, validateEndpoint(settingsOfPing(current, request.body)));
      return reply.code(200).send();
    },
  );
  app.get(
    '/registries/:id/info',
    { ...permits({ ...ADMINISTRATION, action: 'read' }), schema: { params: IdParameters } },
    async (request) => {
      const { id } = request.params;
      // 0 is this registry itself, which also follows its own events.
      const endpoint = id === 0 ? undefined : await endpoints.get(id);
      const adapter = ADAPTERS[endpoint?.type ?? 'vic'];
      const labels =
        endpoint === undefined ? [] : await factory.labelsAt(endpoint, AbortSignal.timeout(PING_TIMEOUT_MS));
      return {
        type: endpoint?.type ?? 'vic',
        description: adapter.description,
        supported_resource_filters: adapter.filters.map((filter) =>
          filter.type === 'label' ? { ...filter, values: labels } : filter,
        ),
        supported_triggers: ['manual', 'scheduled', ...(endpoint === undefined ? ['event_based'] : [])],
        supported_copy_by_chunk: adapter.copyByChunk,
      };
    },
  );
}

function registerAdapters(app: HttpApplication): void {
  const listing = permits({ scope: 'system', resource: 'replication-adapter', action: 'list' });
  app.get('/replication/adapters', listing, () => ADAPTER_TYPES);
  app.get('/replication/adapterinfos', listing, () =>
    Object.fromEntries(
      ADAPTER_TYPES.map((type) => {
        const { endpoints } = ADAPTERS[type];
        const endpoint_pattern =
          endpoints.length === 0 ? {} : { endpoint_pattern: { endpoint_type: 'EndpointPatternTypeFix', endpoints } };
        const credential_pattern = {
          access_key_type: 'AccessKeyTypeStandard',
          access_key_data: '',
          access_secret_type: 'AccessSecretTypeStandard',
          access_secret_data: '',
        };
        return [type, { ...endpoint_pattern, credential_pattern }];
      }),
    ),
  );
}

/** Harbor's older parameter: `name=x` means that the name contains it. */
function withName<T extends { readonly filters: readonly unknown[] }>(query: T, parameters: unknown): T {
  const name = (parameters as Readonly<Record<string, unknown>>)['name'];
  if (typeof name !== 'string' || name === '') return query;
  return { ...query, filters: [...query.filters, { kind: 'like', field: 'name', value: name }] };
}

async function requireHealthy(factory: PeerFactory, settings: EndpointSettings): Promise<void> {
  try {
    const what = `the registry at ${settings.url}`;
    await withDeadline(what, PING_TIMEOUT_MS, async (signal) => factory.ping(settings, signal));
  } catch (cause) {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'REGISTRY_UNHEALTHY',
      message: `the registry is unhealthy: ${describeError(cause)}`,
      remedy: 'Check its URL, its certificate and the credentials.',
      cause,
    });
  }
}

function pathOf(url: string): string {
  return (url.split('?')[0] ?? '').replace(/\/+$/, '');
}

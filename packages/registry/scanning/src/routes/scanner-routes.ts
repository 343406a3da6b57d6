import { VicError } from '@vic/errors';
import { type Static, Type } from '@vic/http';
import { type RestRoutes, auditSubject, parseListQuery, permits, projectOf, sendPage } from '@vic/rest';
import type { ListRequest } from '@vic/sql';
import { ScannerAdapter } from '../scanners/scanner-adapter.ts';
import type { ScannerMetadata } from '../scanners/scanner-metadata.ts';
import { type ScannerRegistration, type ScannerSettings, checkSettings } from '../scanners/scanner-registration.ts';
import type { Scanning } from '../scanning.ts';
import { metadataBody, registrationBody } from './scanner-body.ts';

const ScannerRequest = Type.Object({
  name: Type.String({ maxLength: 128 }),
  description: Type.Optional(Type.String({ maxLength: 1024 })),
  url: Type.String({ maxLength: 512 }),
  auth: Type.Optional(Type.String({ maxLength: 64 })),
  access_credential: Type.Optional(Type.String({ maxLength: 4096 })),
  skip_certVerify: Type.Optional(Type.Boolean()),
  use_internal_addr: Type.Optional(Type.Boolean()),
  disabled: Type.Optional(Type.Boolean()),
});
const DefaultRequest = Type.Object({ is_default: Type.Optional(Type.Boolean()) });
const ScannerChoice = Type.Object({ uuid: Type.String({ maxLength: 64 }) });
const PING_TIMEOUT_MS = 15_000;
const LIST = {
  filter: ['name', 'description', 'url', 'uuid'],
  sort: ['name', 'description', 'url', 'create_time'],
} as const;

type App = Parameters<RestRoutes>[0];

/** Harbor's `/scanners` and `/projects/{project_name_or_id}/scanner`. */
export function scannerRoutes(scanning: Scanning): RestRoutes {
  return (app) => {
    registerReads(app, scanning);
    registerChanges(app, scanning);
    registerProjectScanner(app, scanning);
  };
}

function registerReads(app: App, { registrations, access }: Scanning): void {
  app.get('/scanners', permits({ scope: 'system', resource: 'scanner', action: 'list' }), async (request, reply) => {
    const query = parseListQuery(request, LIST);
    const page = await registrations.list(withOldFilters(query, request.query));
    return sendPage(request, reply, query, {
      items: page.items.map((item) => registrationBody(item)),
      total: page.total,
    });
  });
  const read = permits({ scope: 'system', resource: 'scanner', action: 'read' });
  app.get('/scanners/:registration_id', read, async (request) =>
    registrationBody(await found(registrations, request.params)),
  );
  app.get('/scanners/:registration_id/metadata', read, async (request) =>
    metadataBody(await access.metadata(await found(registrations, request.params))),
  );
  app.post('/scanners/ping', { schema: { body: ScannerRequest }, ...read }, async (request, reply) => {
    const checked = checkSettings(settingsOf(request.body));
    await using adapter = new ScannerAdapter(checked);
    await adapter.metadata(AbortSignal.timeout(PING_TIMEOUT_MS));
    await reply.code(200).send();
  });
}

function registerChanges(app: App, { registrations }: Scanning): void {
  app.post(
    '/scanners',
    {
      schema: { body: ScannerRequest },
      ...permits(
        { scope: 'system', resource: 'scanner', action: 'create' },
        { operation: 'create', resourceType: 'scanner' },
      ),
    },
    async (request, reply) => {
      auditSubject(request, request.body.name);
      const uuid = await registrations.create(settingsOf(request.body));
      await reply
        .code(201)
        .header('location', `${request.originalUrl.split('?')[0] ?? ''}/${uuid}`)
        .send();
    },
  );
  app.put(
    '/scanners/:registration_id',
    {
      schema: { body: ScannerRequest },
      ...permits(
        { scope: 'system', resource: 'scanner', action: 'update' },
        { operation: 'update', resourceType: 'scanner' },
      ),
    },
    async (request, reply) => {
      auditSubject(request, request.body.name);
      await registrations.update(uuidOf(request.params), settingsOf(request.body));
      await reply.code(200).send();
    },
  );
  app.patch(
    '/scanners/:registration_id',
    {
      schema: { body: DefaultRequest },
      ...permits(
        { scope: 'system', resource: 'scanner', action: 'update' },
        { operation: 'update', resourceType: 'scanner' },
      ),
    },
    async (request, reply) => {
      auditSubject(request, uuidOf(request.params));
      if (request.body.is_default === true) await registrations.makeDefault(uuidOf(request.params));
      await reply.code(200).send();
    },
  );
  app.delete(
    '/scanners/:registration_id',
    permits(
      { scope: 'system', resource: 'scanner', action: 'delete' },
      { operation: 'delete', resourceType: 'scanner' },
    ),
    async (request) => {
      const removed = await registrations.remove(uuidOf(request.params));
      auditSubject(request, removed.name);
      return registrationBody(removed);
    },
  );
}

function registerProjectScanner(app: App, { registrations, access, deps }: Scanning): void {
  const path = '/projects/:project_name_or_id/scanner';
  app.get(path, permits({ scope: 'project', resource: 'scanner', action: 'read' }), async (request) => {
    const registration = await registrations.ofProject(projectOf(request).id);
    return registration === undefined ? {} : registrationBody(registration, await knownMetadata(registration));
  });
  app.get(
    `${path}/candidates`,
    permits({ scope: 'project', resource: 'scanner', action: 'create' }),
    async (request, reply) => {
      const query = parseListQuery(request, LIST);
      const page = await registrations.list(query);
      return sendPage(request, reply, query, {
        items: page.items.map((item) => registrationBody(item)),
        total: page.total,
      });
    },
  );
  app.put(
    path,
    {
      schema: { body: ScannerChoice },
      ...permits(
        { scope: 'project', resource: 'scanner', action: 'create' },
        { operation: 'update', resourceType: 'project' },
      ),
    },
    async (request, reply) => {
      const project = projectOf(request);
      auditSubject(request, project.name, project);
      await registrations.choose(project.id, request.body.uuid);
      await reply.code(200).send();
    },
  );

  /** A scanner that does not answer is shown without its capabilities. */
  async function knownMetadata(registration: ScannerRegistration): Promise<ScannerMetadata | undefined> {
    return access.metadata(registration).catch(() => {
      deps.logger.warn('A scanner does not answer', { scanner: registration.name });
      return undefined;
    });
  }
}

/** Harbor's older way to filter this list: by `name`, `description`, `url` and, exactly, `ex_name` and `ex_url`. */
function withOldFilters(request: ListRequest, parameters: unknown): ListRequest {
  const values = parameters as Readonly<Record<string, unknown>>;
  const filterOf = (parameter: string, kind: 'like' | 'equal', field: string): ListRequest['filters'] => {
    const value = values[parameter];
    return typeof value === 'string' && value !== '' ? [{ kind, field, value }] : [];
  };
  return {
    ...request,
    filters: [
      ...request.filters,
      ...['name', 'description', 'url'].flatMap((field) => filterOf(field, 'like', field)),
      ...['name', 'url'].flatMap((field) => filterOf(`ex_${field}`, 'equal', field)),
    ],
  };
}

function settingsOf(body: Static<typeof ScannerRequest>): ScannerSettings {
  return {
    name: body.name,
    description: body.description ?? '',
    url: body.url,
    auth: body.auth ?? '',
    credential: body.access_credential ?? '',
    skipCertVerify: body.skip_certVerify ?? false,
    useInternalAddress: body.use_internal_addr ?? false,
    disabled: body.disabled ?? false,
  };
}

function uuidOf(parameters: unknown): string {
  return (parameters as Readonly<Record<string, string>>)['registration_id'] ?? '';
}

async function found(registrations: Scanning['registrations'], parameters: unknown): Promise<ScannerRegistration> {
  const uuid = uuidOf(parameters);
  const registration = await registrations.find(uuid);
  if (registration !== undefined) return registration;
  throw new VicError({
    class: 'NotFound',
    code: 'SCANNER_NOT_FOUND',
    message: `scanner ${uuid.slice(0, 64)} not found`,
  });
}

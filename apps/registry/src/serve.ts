import { registerDistribution } from '@vic/distribution';
import { EventConsumers } from '@vic/events';
import { type HttpServer, type ListenAddress, createHttpServer } from '@vic/http';
import { JobRunner } from '@vic/jobs';
import type { Logger } from '@vic/log';
import { Notary, notaryErrorResponse, notaryRoutes } from '@vic/notary';
import { visibleProjectIds } from '@vic/projects';
import { type DeclaredRoute, type RestServices, registerRest, restErrorResponse } from '@vic/rest';
import {
  AccessTokens,
  BearerAccounts,
  NotaryAccess,
  RefreshTokens,
  RegistryAccess,
  ScopeAccess,
  TokenKeys,
  TokenService,
  tokenRoutes,
} from '@vic/tokens';
import { API_PREFIX } from './api-prefix.ts';
import type { RegistryConfiguration } from './configuration.ts';
import { prepareInstallation } from './management.ts';
import { type Parts, composeParts } from './parts.ts';
import { type Storage, openStorage } from './storage.ts';
import { registryTls } from './tls.ts';

/** A registry that serves. */
export interface RunningRegistry extends AsyncDisposable {
  readonly address: ListenAddress;
  readonly notaryAddress: ListenAddress | undefined;
  /** PEM of the authority that clients have to trust; absent when certificates were given, or none is used. */
  readonly authority: string | undefined;
  /** Of a new installation: shown once. */
  readonly administrator: { readonly name: string; readonly password: string } | undefined;
  /** Every route of the REST API with who may call it. */
  readonly routes: readonly DeclaredRoute[];
}

/** Starts a registry; it stops, in order, when it is disposed of. */
export async function startRegistry(configuration: RegistryConfiguration, logger: Logger): Promise<RunningRegistry> {
  await using resources = new AsyncDisposableStack();
  const tls = await registryTls(configuration);
  const storage = resources.use(await openStorage(configuration, logger));
  const parts = resources.use(
    composeParts(configuration, storage, { logger, hasAuthority: tls?.authority !== undefined }),
  );
  const administrator = await prepareInstallation(parts.management);
  const access = composeAccess(configuration, storage, parts);
  const server = resources.use(
    createHttpServer({ logger, errorResponse: restErrorResponse, ...(tls === undefined ? {} : { tls: tls.server }) }),
  );
  const routes = await registerRoutes(server, { configuration, storage, parts, access, logger });
  const notary =
    configuration.notary === undefined
      ? undefined
      : resources.use(notaryServer(storage, access, { logger, tls: tls?.server }));
  resources.use(await startWork(storage, parts, logger));
  const address = await server.listen(configuration.listen);
  const notaryAddress = await notary?.listen({
    host: configuration.listen.host,
    port: configuration.notary?.port ?? 0,
  });
  const running = resources.move();
  return {
    address,
    notaryAddress,
    authority: tls?.authority,
    administrator,
    routes,
    [Symbol.asyncDispose]: async () => running.disposeAsync(),
  };
}

interface Access {
  readonly registry: RegistryAccess;
  readonly notary: NotaryAccess;
  readonly service: TokenService;
  readonly refreshTokens: RefreshTokens;
}

function composeAccess({ externalUrl }: RegistryConfiguration, storage: Storage, { management }: Parts): Access {
  const { database, secrets } = storage;
  const { identity, projects, authorizer, settings } = management;
  const keys = new TokenKeys({ database, secrets });
  const tokens = new AccessTokens({ keys, tokenExpirationMinutes: async () => settings.get('token_expiration') });
  const access = new ScopeAccess({ authorizer, projects });
  const accounts = new BearerAccounts({ identity });
  const shared = { tokens, accounts, access, identity, externalUrl };
  return {
    registry: new RegistryAccess({
      ...shared,
      visibleProjects: async (principal) => visibleProjectIds(database.db, principal),
    }),
    notary: new NotaryAccess({ ...shared, visibleProjects: async () => [] } as never),
    service: new TokenService({ tokens, access }),
    refreshTokens: new RefreshTokens({ database, identity }),
  };
}

interface Served {
  readonly configuration: RegistryConfiguration;
  readonly storage: Storage;
  readonly parts: Parts;
  readonly access: Access;
  readonly logger: Logger;
}

async function registerRoutes(
  server: HttpServer,
  { storage, parts, access, logger }: Served,
): Promise<readonly DeclaredRoute[]> {
  const { management, store } = parts;
  const { identity, projects, authorizer, settings } = management;
  const isReadOnly = async (): Promise<boolean> => settings.get('read_only');
  await registerDistribution(server.app, {
    store,
    blobs: storage.blobs,
    access: access.registry,
    isReadOnly,
    logger,
  });
  tokenRoutes({
    service: access.service,
    refreshTokens: access.refreshTokens,
    identity,
    isPersonalToken: () => false,
  })(server.app);
  const services: RestServices = {
    authenticate: async (credentials) => identity.authenticate(credentials),
    authorizer,
    findProject: async (nameOrId, isName) => projects.find(nameOrId, isName),
    isReadOnly,
    record: async () => undefined,
  };
  return registerRest(server.app, { prefix: API_PREFIX, services, logger }, parts.routes);
}

function notaryServer(
  { database, secrets }: Storage,
  access: Access,
  { logger, tls }: { readonly logger: Logger; readonly tls: Parameters<typeof createHttpServer>[0]['tls'] },
): HttpServer {
  const server = createHttpServer({
    logger,
    errorResponse: notaryErrorResponse,
    ...(tls === undefined ? {} : { tls }),
  });
  notaryRoutes({ notary: new Notary({ database, secrets, now: Date.now }), access: access.notary })(server.app);
  return server;
}

/** Starts what runs by itself: jobs, schedules, and those who follow events. */
async function startWork({ database }: Storage, parts: Parts, logger: Logger): Promise<AsyncDisposable> {
  await using resources = new AsyncDisposableStack();
  const runner = new JobRunner({ database, logger }, { kinds: parts.jobKinds, vendors: parts.vendors });
  resources.use(runner);
  const consumers = resources.use(new EventConsumers({ database, logger }, parts.consumers));
  runner.start();
  await consumers.start();
  parts.replication.start();
  return resources.move();
}

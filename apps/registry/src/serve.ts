import { registerDistribution } from '@vic/distribution';
import { EventConsumers } from '@vic/events';
import { type HttpServer, type ListenAddress, type TlsOptions, createHttpServer, logRequests } from '@vic/http';
import { JobRunner } from '@vic/jobs';
import type { Logger } from '@vic/log';
import { notaryErrorResponse, notaryRoutes } from '@vic/notary';
import { type DeclaredRoute, registerRest, restErrorResponse } from '@vic/rest';
import { type Metrics, type MetricsRegistry, createMetrics, measureRequests, metricsRoutes } from '@vic/telemetry';
import { tokenRoutes } from '@vic/tokens';
import { type Access, composeAccess } from './access.ts';
import { API_PREFIX } from './api-prefix.ts';
import { prepareInstallation } from './compose/management.ts';
import { type Parts, composeParts } from './compose/parts.ts';
import type { RegistryConfiguration } from './configuration.ts';
import { healthRoutes } from './health.ts';
import { measureWork } from './metrics.ts';
import { type Storage, openStorage } from './storage.ts';
import { type RegistryTls, registryTls } from './tls.ts';
import { VERSION } from './version.ts';

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
  const { trustedProxies } = configuration;
  const tls = await registryTls(configuration);
  const storage = resources.use(await openStorage(configuration, logger));
  const parts = resources.use(
    composeParts(configuration, storage, { logger, hasAuthority: tls?.authority !== undefined }),
  );
  const access = composeAccess(configuration, storage, parts.management, parts.audit);
  const server = resources.use(createServer({ logger, errorResponse: restErrorResponse, trustedProxies }, tls?.server));
  const metrics = createMetrics();
  const routes = await registerRoutes(server, { storage, parts, access, tls, metrics, logger });
  const notary =
    configuration.notary && resources.use(notaryServer(parts, access, { logger, trustedProxies, tls: tls?.server }));
  resources.use(await startWork(storage, parts, { metrics, logger }));
  const { host } = configuration.listen;
  const address = await server.listen(configuration.listen);
  const notaryAddress = await notary?.listen({ host, port: configuration.notary?.port ?? 0 });
  // Last: a start that fails, say on a port that is taken, must not make a password that nobody is shown.
  const administrator = await prepareInstallation(parts.management);
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

interface Served {
  readonly storage: Storage;
  readonly parts: Parts;
  readonly access: Access;
  readonly tls: RegistryTls | undefined;
  readonly metrics: MetricsRegistry;
  readonly logger: Logger;
}

async function registerRoutes({ app }: HttpServer, served: Served): Promise<readonly DeclaredRoute[]> {
  const { storage, parts, access, tls, metrics, logger } = served;
  const { projects, authorizer, settings } = parts.management;
  const isReadOnly = async (): Promise<boolean> => settings.get('read_only');
  measureRequests(app, metrics);
  metricsRoutes(metrics)(app);
  await registerDistribution(app, {
    store: parts.store,
    blobs: storage.blobs,
    access: access.registry,
    upstream: parts.proxy,
    isReadOnly,
    logger,
  });
  tokenRoutes(access.tokenRoutes)(app);
  const services = {
    authenticate: access.rest,
    authorizer,
    findProject: async (nameOrId: string, isName: boolean) => projects.find(nameOrId, isName),
    isReadOnly,
    record: async (...[operation]: Parameters<typeof parts.audit.record>) => parts.audit.record(operation),
  };
  const system = healthRoutes({ storage, authority: tls?.authority });
  const api = { title: 'VIC registry', version: VERSION };
  return registerRest(app, { prefix: API_PREFIX, services, logger, api }, [system, ...parts.routes]);
}

function notaryServer(
  { notary }: Parts,
  access: Access,
  options: {
    readonly logger: Logger;
    readonly trustedProxies: readonly string[];
    readonly tls: TlsOptions | undefined;
  },
): HttpServer {
  const { tls, ...shared } = options;
  const server = createServer({ ...shared, errorResponse: notaryErrorResponse }, tls);
  notaryRoutes({ notary, access: access.notary })(server.app);
  return server;
}

function createServer(options: Parameters<typeof createHttpServer>[0], tls: TlsOptions | undefined): HttpServer {
  const server = createHttpServer(tls === undefined ? options : { ...options, tls });
  logRequests(server.app, options.logger);
  return server;
}

/** Starts what runs by itself: jobs, schedules, and those who follow events. */
async function startWork(
  { database }: Storage,
  parts: Parts,
  { metrics, logger }: { readonly metrics: Metrics; readonly logger: Logger },
): Promise<AsyncDisposable> {
  await using resources = new AsyncDisposableStack();
  const runner = resources.use(new JobRunner({ database, logger }, { kinds: parts.jobKinds, vendors: parts.vendors }));
  const consumers = resources.use(new EventConsumers({ database, logger }, parts.consumers));
  measureWork(metrics, { consumers, monitor: parts.monitor, replication: parts.replication });
  runner.start();
  await parts.start();
  await consumers.start();
  return resources.move();
}

import { isIPv4 } from 'node:net';
import { VicError } from '@vic/errors';
import { RegistryClient } from '@vic/imagec';
import type { Logger } from '@vic/log';
import { createPersonality, createPersonalityServer } from '@vic/personality-docker';
import {
  ContainerNetworks,
  ImageStore,
  VchExecution,
  VimDatastoreFiles,
  VimLayerDiskHost,
  VimLogFiles,
  VimMachines,
  listenForTethers,
} from '@vic/port-layer';
import type { NetworkConfiguration } from '@vic/port-layer';
import { networkOf } from '@vic/vch';
import type { VchConfiguration, VchSecrets } from '@vic/vch';
import { connectInfrastructure } from './connect-infrastructure.ts';
import type { Infrastructure } from './connect-infrastructure.ts';
import { guestKernelRelease } from './guest-kernel.ts';
import { credentialsOf, imageBackend } from './image-backend.ts';
import type { MachineDirectory } from './machine-directory.ts';
import { networkBackend } from './network-backend.ts';
import { systemBackend } from './system-backend.ts';
import type { Build } from './system-backend.ts';

/** What the endpoint runs with. */
export interface EndpointOptions {
  readonly configuration: VchConfiguration;
  readonly secrets: VchSecrets;
  readonly directory: MachineDirectory;
  readonly build: Build;
  readonly logger: Logger;
}

const TLS_PORT = 2376;
const PLAIN_PORT = 2375;
const TETHER_PORT = 2377;
const IDLE_POWER_OFF_MS = 60_000;
const LAST_WORDS_MS = 1500;
const TETHER_AWAY_MS = 3000;
const MINIMUM_MEMORY_MIB = 128;

/** Serves one virtual container host until the signal fires. Containers go on when it ends. */
export async function serve(options: EndpointOptions, signal: AbortSignal): Promise<void> {
  const { configuration, secrets, directory, logger } = options;
  await using stack = new AsyncDisposableStack();
  await directory.report({ status: 'initializing' });

  const networks = stack.use(new ContainerNetworks({ configuration: networksOf(configuration), logger }));
  await networks.configure(signal);
  const infrastructure = await connectInfrastructure(configuration, secrets, logger, signal);
  stack.use(infrastructure.client);

  const registry = stack.use(registryOf(configuration));
  const holder: { execution?: VchExecution } = {};
  const images = await openImages(options, infrastructure, registry, holder, signal);
  const execution = stack.use(await openExecution(options, infrastructure, networks, images, signal));
  holder.execution = execution;
  stack.use(
    await listenForTethers(
      { host: addressOf(configuration), port: TETHER_PORT },
      {
        secretOf: async (vmId) => execution.secretOf(vmId),
        onSession: (session) => execution.receiveSession(session),
        logger,
      },
    ),
  );

  const createdAt = new Date().toISOString();
  const kernelVersion = await guestKernelRelease(infrastructure.files, configuration.bootstrapIso, logger, signal);
  const personality = stack.use(
    createPersonality(
      {
        execution,
        images: imageBackend(images),
        registry: {
          login: async (auth, asking) => {
            const domain = domainOf(auth.serverAddress);
            const { identityToken = '' } = await registry.login(domain, credentialsOf(auth), asking);
            return { identityToken };
          },
        },
        networks: networkBackend(networks, configuration.id, createdAt),
        system: await systemBackend(configuration, infrastructure, { ...options.build, kernelVersion }, signal),
        logger,
        clock: nowNs,
      },
      {
        defaultShape: configuration.defaultContainer,
        minimumMemoryMiB: MINIMUM_MEMORY_MIB,
        serverVersion: options.build.version,
      },
    ),
  );
  const tls = tlsOf(configuration, secrets);
  const server = stack.use(createPersonalityServer(personality, { logger, ...(tls === undefined ? {} : { tls }) }));
  const listening = { host: addressOf(configuration), port: tls === undefined ? PLAIN_PORT : TLS_PORT };
  await server.listen(listening);
  await directory.report({ status: 'running', address: `tcp://${listening.host}:${listening.port}` });
  logger.info('Serving the Docker API.', listening);
  await aborted(signal);
  logger.info('Stopping; containers go on.');
}

async function openImages(
  options: EndpointOptions,
  infrastructure: Infrastructure,
  registry: RegistryClient,
  holder: { readonly execution?: VchExecution },
  signal: AbortSignal,
): Promise<ImageStore> {
  const { configuration, directory, logger } = options;
  const disks = await VimLayerDiskHost.open(
    { ...infrastructure, socketDirectory: directory.disks, folder: configuration.folder, logger },
    signal,
  );
  return ImageStore.open(
    {
      disks,
      files: new VimDatastoreFiles(infrastructure.files, infrastructure.directory),
      registry,
      logger,
      usersOf: (id) =>
        (holder.execution?.list() ?? [])
          .filter(({ config }) => config.imageId === id)
          .map(({ config, state }) => ({ containerId: config.id, running: state.status === 'running' })),
    },
    { spoolDirectory: directory.spool, baseImageBytes: configuration.baseImageSizeBytes },
    signal,
  );
}

async function openExecution(
  options: EndpointOptions,
  infrastructure: Infrastructure,
  networks: ContainerNetworks,
  images: ImageStore,
  signal: AbortSignal,
): Promise<VchExecution> {
  const { configuration, secrets, logger } = options;
  return VchExecution.open(
    {
      machines: new VimMachines({ ...infrastructure, bootstrapIso: configuration.bootstrapIso }),
      networks,
      topDiskOf: async (id) => `${configuration.folder}/${images.get(id).topDiskPath}`,
      logFiles: new VimLogFiles(infrastructure.files),
      clock: { nowNs },
      logger,
      configuration: {
        vchId: configuration.id,
        vchKey: keyOf(secrets),
        interactionUri: `tcp://${addressOf(configuration)}:${TETHER_PORT}`,
        defaultShape: configuration.defaultContainer,
        datastore: infrastructure.datastore,
        diskBytes: images.diskBytes,
        nameConvention: configuration.containerNameConvention,
        templateVersion: configuration.bootstrapIso,
        bridgePortGroup: networkOf(configuration, 'bridge').portGroup,
        idlePowerOffMs: IDLE_POWER_OFF_MS,
        lastWordsMs: LAST_WORDS_MS,
        tetherAwayMs: TETHER_AWAY_MS,
      },
    },
    signal,
  );
}

function networksOf(configuration: VchConfiguration): NetworkConfiguration {
  return {
    vchId: configuration.id,
    public: networkOf(configuration, 'public'),
    bridge: networkOf(configuration, 'bridge'),
    bridgeRange: configuration.bridgeRange,
    bridgeWidth: configuration.bridgeWidth,
    dnsServers: configuration.dnsServers,
    reservedPorts: [PLAIN_PORT, TLS_PORT, TETHER_PORT],
    shielded: shieldedOf(configuration),
  };
}

/** The vSphere API: the endpoint's way there must not become the containers'. Only addresses can be filtered. */
function shieldedOf({ vim }: VchConfiguration): NetworkConfiguration['shielded'] {
  const { hostname, port } = new URL(vim.url);
  return isIPv4(hostname) ? [{ address: hostname, port: port === '' ? 443 : Number(port) }] : [];
}

function registryOf({ registries }: VchConfiguration): RegistryClient {
  const { httpProxy, httpsProxy, noProxy } = registries;
  return new RegistryClient({
    insecureRegistries: registries.insecure,
    registryCa: registries.certificateAuthorities,
    proxy: {
      ...(httpProxy === undefined ? {} : { httpProxy }),
      ...(httpsProxy === undefined ? {} : { httpsProxy }),
      ...(noProxy === undefined ? {} : { noProxy }),
    },
  });
}

function tlsOf(configuration: VchConfiguration, secrets: VchSecrets) {
  const { mode, serverCertificate, clientCertificateAuthorities } = configuration.tls;
  if (mode === 'no-tls') return undefined;
  if (serverCertificate === undefined || secrets.serverKey === undefined) throw incomplete('TLS certificate or key');
  const identity = { certificate: serverCertificate, privateKey: secrets.serverKey };
  if (mode === 'tls-no-verify') return identity;
  if (clientCertificateAuthorities.length === 0) throw incomplete('authority of client certificates');
  return { ...identity, clientAuthorities: clientCertificateAuthorities.join('\n') };
}

function keyOf(secrets: VchSecrets): string {
  if (secrets.containerKey === '') throw incomplete('container key');
  return secrets.containerKey;
}

/** The endpoint's address, where clients and tethers reach it. */
function addressOf(configuration: VchConfiguration): string {
  return networkOf(configuration, 'public').address.replace(/\/.*$/, '');
}

/** The registry of `docker login`: a host, or a URL as old clients send. */
function domainOf(serverAddress: string): string {
  const domain = serverAddress.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return domain === '' || domain === 'index.docker.io' ? 'docker.io' : domain;
}

function nowNs(): bigint {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n;
}

function incomplete(what: string): VicError {
  return new VicError({
    class: 'DataLoss',
    code: 'ENDPOINT_CONFIGURATION_INCOMPLETE',
    message: `The configuration of the virtual container host has no ${what}.`,
    remedy: 'Create the virtual container host again with vic-machine.',
  });
}

async function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  if (signal.aborted) resolve();
  await promise;
}

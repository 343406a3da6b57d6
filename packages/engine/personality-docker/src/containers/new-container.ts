import { type ContainerCreate, type HostConfig, atLeast } from '@vic/docker-api';
import { type ContainerId, shortId } from '@vic/ids';
import type { NewContainer } from '@vic/port-layer';
import type { Image } from '../backends.ts';
import { invalid } from '../http/docker-error.ts';
import { judgeOptions, tmpfsOf, ulimitsOf } from './container-options.ts';
import { type MergedConfig, encodeRecord } from './container-record.ts';
import { argsOf, mergeImageConfig, processEnv } from './merge-image-config.ts';
import { dnsOf, extraHostsOf, networkOptionsOf } from './network-options.ts';
import { parsePort, portBindingsOf } from './port-options.ts';
import { type ShapeBounds, shapeOf } from './shape-options.ts';
import { parseSignal } from './signal-name.ts';

const DEFAULT_STOP_TIMEOUT_SECONDS = 10;
const DEFAULT_SHM_BYTES = 64 * 1024 * 1024;

/** What a create request becomes. */
export interface CreatePlan {
  readonly request: NewContainer;
  readonly warnings: readonly string[];
}

/** Turns a create request into the port layer's: every option honoured, refused, or named in the warnings. */
export function planContainer(
  body: ContainerCreate,
  context: {
    readonly id: ContainerId;
    readonly name: string;
    readonly image: Image;
    readonly version: string;
    readonly bounds: ShapeBounds;
    readonly gatewayOf: (network: string) => string | undefined;
  },
): CreatePlan {
  const { HostConfig: hostConfig = {}, NetworkingConfig: networking = {}, ...userConfig } = body;
  refuseManyEndpoints(networking.EndpointsConfig ?? {}, context.version);
  const warnings = judgeOptions(body);
  const config = mergeImageConfig(userConfig, context.image.config);
  if (userConfig.Volumes === undefined && Object.keys(config.Volumes ?? {}).length > 0) warnings.push(IMAGE_VOLUMES);
  const network = networkOptionsOf(hostConfig, config.NetworkDisabled === true, networking, warnings);
  if (network.network === 'none' && Object.keys(hostConfig.PortBindings ?? {}).length > 0)
    warnings.push(UNREACHABLE_PORTS);
  const hostname = hostnameOf(config, context.id);
  const kept: MergedConfig = { ...config, Hostname: hostname };
  Object.keys(config.ExposedPorts ?? {}).forEach(parsePort);
  const request: NewContainer = {
    id: context.id,
    name: context.name,
    imageId: context.image.id,
    imageReference: body.Image ?? '',
    process: processOf(kept, hostConfig, hostname),
    ...identityOf(kept, hostname),
    shape: shapeOf(hostConfig, context.bounds, warnings),
    ...network,
    ports: network.network === 'none' ? [] : portBindingsOf(hostConfig, config.ExposedPorts ?? {}),
    dns: dnsOf(hostConfig),
    extraHosts: extraHostsOf(hostConfig, context.gatewayOf(network.network)),
    ...placementOf(hostConfig),
    personality: encodeRecord({ config: kept, hostConfig: { ...hostConfig, NetworkMode: network.network } }),
  };
  return { request, warnings };
}

/** The kernel's bound, which is the only rule Docker has for it. */
const MAX_HOSTNAME_BYTES = 64;

function hostnameOf({ Hostname = '' }: MergedConfig, id: ContainerId): string {
  if (Buffer.byteLength(Hostname) > MAX_HOSTNAME_BYTES)
    throw invalid(`hostname "${Hostname.slice(0, 128)}" is too long (maximum ${MAX_HOSTNAME_BYTES} bytes)`);
  return Hostname === '' ? shortId(id) : Hostname;
}

const IMAGE_VOLUMES =
  "Volumes: the image's volumes are not made: data stays in the container's own layer and goes with it.";
const UNREACHABLE_PORTS = 'PortBindings: no port is published, because the container is in no network.';

function identityOf(
  config: MergedConfig,
  hostname: string,
): Pick<NewContainer, 'stopSignal' | 'stopTimeoutSeconds' | 'hostname' | 'domainname'> {
  return {
    stopSignal: parseSignal(config.StopSignal ?? 'SIGTERM'),
    stopTimeoutSeconds: config.StopTimeout ?? DEFAULT_STOP_TIMEOUT_SECONDS,
    hostname,
    domainname: config.Domainname ?? '',
  };
}

function placementOf(
  hostConfig: HostConfig,
): Pick<NewContainer, 'readonlyRootfs' | 'shmSizeBytes' | 'tmpfs' | 'ulimits' | 'autoRemove'> {
  return {
    readonlyRootfs: hostConfig.ReadonlyRootfs ?? false,
    shmSizeBytes: shmSizeOf(hostConfig.ShmSize ?? 0),
    tmpfs: tmpfsOf(hostConfig),
    ulimits: ulimitsOf(hostConfig),
    autoRemove: hostConfig.AutoRemove ?? false,
  };
}

function processOf(config: MergedConfig, hostConfig: HostConfig, hostname: string): NewContainer['process'] {
  const cwd = config.WorkingDir === undefined || config.WorkingDir === '' ? '/' : config.WorkingDir;
  if (!cwd.startsWith('/'))
    throw invalid(`the working directory '${cwd.slice(0, 128)}' is invalid, it needs to be an absolute path`);
  const [rows = 0, columns = 0] = hostConfig.ConsoleSize ?? [];
  return {
    args: argsOf(config),
    env: processEnv(config, hostname),
    cwd,
    user: config.User ?? '',
    groups: hostConfig.GroupAdd ?? [],
    tty: config.Tty ?? false,
    consoleSize: rows > 0 && columns > 0 ? { rows, columns } : undefined,
    openStdin: config.OpenStdin ?? false,
    stdinOnce: config.StdinOnce ?? false,
  };
}

function shmSizeOf(sizeBytes: number): number {
  if (sizeBytes < 0) throw invalid('SHM size can not be less than 0');
  return sizeBytes === 0 ? DEFAULT_SHM_BYTES : sizeBytes;
}

function refuseManyEndpoints(endpoints: Readonly<Record<string, object>>, version: string): void {
  const names = Object.keys(endpoints);
  if (names.length > 1 && !atLeast(version, '1.44')) {
    throw invalid(`Container cannot be created with multiple network endpoints: ${names.join(', ').slice(0, 200)}`);
  }
}

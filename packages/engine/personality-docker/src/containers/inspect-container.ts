import { type ConfigAnswer, type HostConfig } from '@vic/docker-api';
import type { Container } from '@vic/port-layer';
import type { Call } from '../http/call.ts';
import type { PersonalityContext } from '../personality.ts';
import { STORAGE_DRIVER } from '../system/storage-driver.ts';
import { findContainer } from './container-access.ts';
import { endpointIdOf, networksOf, portMapOf } from './container-network.ts';
import { type MergedConfig, recordOf } from './container-record.ts';
import { stateAnswer } from './container-state.ts';
import { sizesOf } from './list-containers.ts';

/** `GET /containers/{id}/json`. */
export function inspectContainer(context: PersonalityContext, call: Call): void {
  const container = findContainer(context.execution, call.param('id'));
  const { config } = container;
  const [path = '', ...args] = config.process.args;
  const record = recordOf(container);
  const execs = context.execution.execsOf(config.id).filter(({ state }) => state.status === 'running');
  call.json(200, {
    Id: config.id,
    Created: container.createdAt,
    Path: path,
    Args: args,
    State: stateAnswer(container.state),
    Image: config.imageId,
    // The files are made inside the container VM; no path on a host leads to them.
    ResolvConfPath: '',
    HostnamePath: '',
    HostsPath: '',
    LogPath: '',
    Name: `/${config.name}`,
    RestartCount: container.restartCount,
    Driver: STORAGE_DRIVER,
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: execs.length === 0 ? null : execs.map(({ id }) => id),
    HostConfig: hostConfigAnswer(record.hostConfig, container),
    GraphDriver: { Data: { VirtualMachine: container.vm.name, Folder: container.vm.path }, Name: STORAGE_DRIVER },
    ...(call.flag('size') ? sizesOf(context, container) : {}),
    Mounts: [],
    Config: configAnswer(record.config, call),
    NetworkSettings: networkSettings(container),
  });
}

function configAnswer(config: MergedConfig, call: Call): ConfigAnswer {
  const { ExposedPorts, Labels, Env, Cmd, Entrypoint, Volumes, OnBuild, ...rest } = config;
  const exposed = Object.keys(ExposedPorts ?? {}).length === 0 ? {} : { ExposedPorts: ExposedPorts ?? {} };
  const answer = {
    Hostname: '',
    Domainname: '',
    User: '',
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    ...exposed,
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: Env ?? [],
    Cmd: Cmd ?? null,
    Image: '',
    Volumes: Volumes === undefined || Object.keys(Volumes).length === 0 ? null : Volumes,
    WorkingDir: '',
    Entrypoint: Entrypoint ?? null,
    OnBuild: OnBuild ?? null,
    Labels: Labels ?? {},
    ...rest,
  };
  if (call.speaks('1.44') || answer.Healthcheck === undefined) return answer;
  const { StartInterval: _, ...older } = answer.Healthcheck;
  return { ...answer, Healthcheck: older };
}

/** The host configuration with the defaults of everything that was not given, in the shape Docker shows. */
function hostConfigAnswer(given: HostConfig, { config, shape }: Container): Record<string, unknown> {
  return {
    ...HOST_CONFIG_DEFAULTS,
    ...given,
    Memory: given.Memory === undefined || given.Memory === 0 ? 0 : shape.memoryMiB * 1024 * 1024,
    AutoRemove: config.autoRemove,
    NetworkMode: config.network ?? 'bridge',
    PortBindings: given.PortBindings ?? {},
    ShmSize: config.shmSizeBytes,
    Dns: config.dns.servers,
    DnsOptions: config.dns.options,
    DnsSearch: config.dns.search,
    RestartPolicy: {
      Name: given.RestartPolicy?.Name || 'no',
      MaximumRetryCount: given.RestartPolicy?.MaximumRetryCount ?? 0,
    },
    LogConfig: { Type: 'json-file', Config: {} },
  };
}

const HOST_CONFIG_DEFAULTS = {
  Binds: null,
  ContainerIDFile: '',
  AutoRemove: false,
  VolumeDriver: '',
  VolumesFrom: null,
  ConsoleSize: [0, 0],
  CapAdd: null,
  CapDrop: null,
  CgroupnsMode: 'private',
  ExtraHosts: null,
  GroupAdd: null,
  IpcMode: 'private',
  Cgroup: '',
  Links: null,
  OomScoreAdj: 0,
  PidMode: '',
  Privileged: false,
  PublishAllPorts: false,
  ReadonlyRootfs: false,
  SecurityOpt: null,
  UTSMode: '',
  UsernsMode: '',
  Runtime: 'vic',
  Isolation: '',
  CpuShares: 0,
  NanoCpus: 0,
  CgroupParent: '',
  BlkioWeight: 0,
  BlkioWeightDevice: [],
  BlkioDeviceReadBps: [],
  BlkioDeviceWriteBps: [],
  BlkioDeviceReadIOps: [],
  BlkioDeviceWriteIOps: [],
  CpuPeriod: 0,
  CpuQuota: 0,
  CpuRealtimePeriod: 0,
  CpuRealtimeRuntime: 0,
  CpusetCpus: '',
  CpusetMems: '',
  Devices: [],
  DeviceCgroupRules: null,
  DeviceRequests: null,
  MemoryReservation: 0,
  MemorySwap: 0,
  MemorySwappiness: null,
  OomKillDisable: false,
  PidsLimit: null,
  Ulimits: [],
  CpuCount: 0,
  CpuPercent: 0,
  IOMaximumIOps: 0,
  IOMaximumBandwidth: 0,
  // Nothing needs hiding from a container that has a kernel of its own.
  MaskedPaths: [],
  ReadonlyPaths: [],
};

function networkSettings(container: Container): Record<string, unknown> {
  const networks = networksOf(container);
  const bridge = networks['bridge'];
  const running = container.state.status === 'running';
  return {
    Bridge: '',
    SandboxID: running ? container.config.id : '',
    SandboxKey: '',
    Ports: portMapOf(container),
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: bridge === undefined ? '' : endpointIdOf(container),
    Gateway: bridge?.Gateway ?? '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    IPAddress: bridge?.IPAddress ?? '',
    IPPrefixLen: bridge?.IPPrefixLen ?? 0,
    IPv6Gateway: '',
    MacAddress: bridge?.MacAddress ?? '',
    Networks: networks,
  };
}

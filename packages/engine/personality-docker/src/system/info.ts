import { rfc3339Nano } from '@vic/docker-api';
import type { SystemDescription } from '../backends.ts';
import type { Call } from '../http/call.ts';
import type { PersonalityContext } from '../personality.ts';
import { STORAGE_DRIVER } from './storage-driver.ts';

/** `GET /info`. VIC's own lines are where command lines print lines they do not know: under the storage driver. */
export async function info(context: PersonalityContext, call: Call): Promise<void> {
  const system = await context.system.describe(call.signal);
  const drivers = [...new Set(context.networks.list().map(({ driver }) => driver))].sort();
  const none = { ID: '' };
  call.json(200, {
    ID: system.id,
    ...containerCounts(context),
    Images: context.images.list().length,
    Driver: STORAGE_DRIVER,
    DriverStatus: system.statusLines,
    ...(call.speaks('1.40') ? {} : { SystemStatus: system.statusLines }),
    Plugins: { Volume: [], Network: drivers, Authorization: null, Log: ['json-file'] },
    MemoryLimit: true,
    SwapLimit: false,
    ...(call.speaks('1.42') ? {} : { KernelMemory: false }),
    ...(call.speaks('1.50') ? {} : { BridgeNfIptables: false, BridgeNfIp6tables: false }),
    KernelMemoryTCP: false,
    CpuCfsPeriod: false,
    CpuCfsQuota: false,
    CPUShares: false,
    CPUSet: true,
    PidsLimit: false,
    IPv4Forwarding: true,
    Debug: false,
    NFd: 0,
    OomKillDisable: false,
    NGoroutines: 0,
    SystemTime: rfc3339Nano(context.clock()),
    LoggingDriver: 'json-file',
    CgroupDriver: 'none',
    CgroupVersion: '2',
    NEventsListener: context.events.listeners,
    KernelVersion: system.kernelVersion,
    OperatingSystem: system.operatingSystem,
    OSVersion: system.osVersion,
    OSType: 'linux',
    Architecture: machineName(system.architecture),
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: registryConfig(system, call),
    NCPU: system.cpus,
    MemTotal: system.memoryBytes,
    GenericResources: null,
    DockerRootDir: '',
    HttpProxy: withoutPassword(system.httpProxy),
    HttpsProxy: withoutPassword(system.httpsProxy),
    NoProxy: system.noProxy,
    Name: system.vchName,
    Labels: system.labels,
    ExperimentalBuild: false,
    ServerVersion: system.version,
    Runtimes: { vic: { path: 'vic' } },
    DefaultRuntime: 'vic',
    Swarm: {
      NodeID: '',
      NodeAddr: '',
      LocalNodeState: 'inactive',
      ControlAvailable: false,
      Error: '',
      RemoteManagers: null,
    },
    LiveRestoreEnabled: true,
    Isolation: '',
    InitBinary: '',
    ContainerdCommit: none,
    RuncCommit: none,
    InitCommit: none,
    SecurityOptions: [],
    CDISpecDirs: [],
    Warnings: null,
  });
}

function containerCounts(context: PersonalityContext): Record<string, number> {
  const containers = context.execution.list();
  const running = containers.filter(({ state }) => state.status === 'running').length;
  return {
    Containers: containers.length,
    ContainersRunning: running,
    ContainersPaused: 0,
    ContainersStopped: containers.length - running,
  };
}

function registryConfig(system: SystemDescription, call: Call): Record<string, unknown> {
  const isRange = (registry: string): boolean => registry.includes('/');
  const insecure = system.insecureRegistries.filter((registry) => !isRange(registry));
  const indexes = [
    ['docker.io', { Mirrors: [], Name: 'docker.io', Official: true, Secure: true }],
    ...insecure.map((name) => [name, { Mirrors: [], Name: name, Official: false, Secure: false }]),
  ];
  return {
    ...(call.speaks('1.48')
      ? {}
      : { AllowNondistributableArtifactsCIDRs: null, AllowNondistributableArtifactsHostnames: null }),
    IndexConfigs: Object.fromEntries(indexes),
    InsecureRegistryCIDRs: system.insecureRegistries.filter(isRange),
    Mirrors: null,
  };
}

/** `info` speaks of machines as `uname -m` does, `version` as Go does. */
function machineName(architecture: string): string {
  if (architecture === 'amd64') return 'x86_64';
  return architecture === 'arm64' ? 'aarch64' : architecture;
}

function withoutPassword(proxy: string): string {
  return proxy.replace(/\/\/[^@/]*@/, '//xxxxx:xxxxx@');
}

import type { SystemBackend, SystemDescription } from '@vic/personality-docker';
import type { VchConfiguration } from '@vic/vch';
import { list, properties } from '@vic/vim-client';
import type { Infrastructure } from './connect-infrastructure.ts';

/** Who the program says it is. */
export interface Build {
  readonly version: string;
  readonly commit: string;
  readonly builtAt: string;
}

const MIB = 1024 * 1024;

/** What the VCH tells `docker info` and `docker version`; asks the infrastructure for its limits each time. */
export async function systemBackend(
  configuration: VchConfiguration,
  infrastructure: Infrastructure,
  build: Build & { readonly kernelVersion: string },
  signal: AbortSignal,
): Promise<SystemBackend> {
  const host = await hostOf(infrastructure, signal);
  const about = infrastructure.client.content.about;
  const fixed = {
    id: configuration.id,
    vchName: configuration.name,
    version: build.version,
    gitCommit: build.commit,
    builtAt: build.builtAt,
    kernelVersion: build.kernelVersion,
    operatingSystem: `vSphere Integrated Containers on ${about.fullName}`,
    osVersion: about.version,
    architecture: 'amd64',
    labels: [],
    insecureRegistries: configuration.registries.insecure,
    httpProxy: configuration.registries.httpProxy ?? '',
    httpsProxy: configuration.registries.httpsProxy ?? '',
    noProxy: configuration.registries.noProxy ?? '',
  };
  return {
    describe: async (asking): Promise<SystemDescription> => {
      const { memoryMiB, cpuMhz } = await limitsOf(infrastructure, asking);
      return {
        ...fixed,
        cpus: host.cpus,
        memoryBytes: memoryMiB === undefined ? host.memoryBytes : memoryMiB * MIB,
        statusLines: [
          [`vSphere Integrated Containers ${build.version} Backend Engine`, 'RUNNING'],
          ['VCH CPU limit', cpuMhz === undefined ? 'unlimited' : `${cpuMhz} MHz`],
          ['VCH memory limit', memoryMiB === undefined ? 'unlimited' : `${memoryMiB} MiB`],
          ['VMware Product', about.name],
          ['VMware OS', about.osType ?? ''],
          ['VMware OS version', about.version],
        ],
      };
    },
  };
}

async function hostOf(
  { client }: Infrastructure,
  signal: AbortSignal,
): Promise<{ readonly cpus: number; readonly memoryBytes: number }> {
  const hosts = await list(client, 'HostSystem', ['summary.hardware'], { signal });
  const hardware = hosts.flatMap(({ properties: found }) => found['summary.hardware'] ?? []);
  return {
    cpus: hardware.reduce((sum, each) => sum + each.numCpuThreads, 0),
    memoryBytes: hardware.reduce((sum, each) => sum + each.memorySize, 0),
  };
}

/** Limits of the VCH's resource pool; -1 and absent both mean none. */
async function limitsOf(
  { client, pool }: Infrastructure,
  signal: AbortSignal,
): Promise<{ readonly memoryMiB: number | undefined; readonly cpuMhz: number | undefined }> {
  const config = (await properties(client, pool, ['config'], { signal })).config;
  const limit = (value: number | undefined): number | undefined =>
    value === undefined || value < 0 ? undefined : value;
  return { memoryMiB: limit(config?.memoryAllocation.limit), cpuMhz: limit(config?.cpuAllocation.limit) };
}

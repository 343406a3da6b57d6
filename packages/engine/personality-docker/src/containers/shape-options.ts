import type { HostConfig } from '@vic/docker-api';
import type { Shape } from '@vic/port-layer';
import type { PersonalityConfiguration } from '../personality.ts';
import { invalid } from '../http/docker-error.ts';

const MIB = 1024 * 1024;
const NANO = 1_000_000_000;
/** Docker's own floor, below which it refuses rather than rounds. */
const DOCKER_MINIMUM_BYTES = 6 * MIB;
/** What bounds the shape of a container VM. */
export interface ShapeBounds extends Pick<PersonalityConfiguration, 'defaultShape' | 'minimumMemoryMiB'> {
  /** CPUs of the infrastructure; a VM with more of them would not boot. */
  readonly availableCpus: number;
  /** Memory of the infrastructure, or the limit of the VCH; a VM with more of it could not be powered on. */
  readonly availableMemoryMiB: number;
}

/** Whether the request asks for CPUs or memory, so that it matters how much there is. */
export function asksForShape({ NanoCpus = 0, CpuCount = 0, CpusetCpus = '', Memory = 0 }: HostConfig): boolean {
  return NanoCpus !== 0 || CpuCount !== 0 || CpusetCpus !== '' || Memory !== 0;
}

/** vCPUs and memory asked for; `undefined` when the request leaves both to the VCH. Rounding is reported in `warnings`. */
export function shapeOf(hostConfig: HostConfig, configuration: ShapeBounds, warnings: string[]): Shape | undefined {
  const cpus = cpusOf(hostConfig, configuration.availableCpus, warnings);
  const memoryMiB = memoryOf(hostConfig, configuration, warnings);
  if (cpus === undefined && memoryMiB === undefined) return undefined;
  const { defaultShape } = configuration;
  return { cpus: cpus ?? defaultShape.cpus, memoryMiB: memoryMiB ?? defaultShape.memoryMiB };
}

function cpusOf(
  { NanoCpus = 0, CpuCount = 0, CpusetCpus = '' }: HostConfig,
  available: number,
  warnings: string[],
): number | undefined {
  if (NanoCpus < 0 || CpuCount < 0) throw invalid('the number of CPUs cannot be negative');
  const wanted = NanoCpus > 0 ? NanoCpus / NANO : CpuCount > 0 ? CpuCount : cpusetCount(CpusetCpus, warnings);
  if (wanted === undefined) return undefined;
  const cpus = Math.max(1, Math.ceil(wanted));
  if (cpus > available)
    throw invalid(`range of CPUs is from 1 to ${available}, as there are only ${available} CPUs available`);
  if (cpus !== wanted) warnings.push(`NanoCpus: a container VM has whole vCPUs; ${wanted} was rounded up to ${cpus}.`);
  return cpus;
}

/** `2` is a number of vCPUs, as VIC always read it; `0-3` and `0,2` are sets, of which the size counts. */
function cpusetCount(cpuset: string, warnings: string[]): number | undefined {
  if (cpuset === '') return undefined;
  if (!/^\d{1,4}(-\d{1,4})?(,\d{1,4}(-\d{1,4})?)*$/.test(cpuset)) {
    throw invalid(`Invalid value ${cpuset.slice(0, 64)} for cpuset cpus`);
  }
  const count = /^\d+$/.test(cpuset) ? Math.max(1, Number(cpuset)) : setSize(cpuset);
  warnings.push(
    `CpusetCpus: "${cpuset.slice(0, 64)}" gives the container VM ${count} vCPUs; they are not bound to CPUs of a host.`,
  );
  return count;
}

function setSize(cpuset: string): number {
  const members = new Set<number>();
  for (const part of cpuset.split(',')) {
    const [first = 0, last = first] = part.split('-').map(Number);
    for (let cpu = first; cpu <= last; cpu++) members.add(cpu);
  }
  if (members.size === 0) throw invalid(`Invalid value ${cpuset.slice(0, 64)} for cpuset cpus`);
  return members.size;
}

function memoryOf(
  { Memory = 0, MemorySwap = 0 }: HostConfig,
  { minimumMemoryMiB, availableMemoryMiB }: ShapeBounds,
  warnings: string[],
): number | undefined {
  if (MemorySwap > 0 && MemorySwap < Memory) {
    throw invalid('Minimum memoryswap limit should be larger than memory limit, see usage');
  }
  if (Memory === 0) return undefined;
  if (Memory < DOCKER_MINIMUM_BYTES) throw invalid('Minimum memory limit allowed is 6MB');
  const memoryMiB = Math.max(minimumMemoryMiB, Math.ceil(Memory / MIB));
  if (memoryMiB > availableMemoryMiB)
    throw invalid(
      `range of memory is up to ${availableMemoryMiB} MiB, as there are only ${availableMemoryMiB} MiB available`,
    );
  if (memoryMiB * MIB !== Memory)
    warnings.push(`Memory: rounded up to ${memoryMiB} MiB, which the container VM needs at least.`);
  return memoryMiB;
}

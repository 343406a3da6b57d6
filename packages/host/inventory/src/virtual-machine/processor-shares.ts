import type { ResourceAllocationInfo } from '@vic/vim';
import type { CpuShare } from '../backends/index.ts';
import { generalFault, notSupported } from '../model/faults.ts';
import type { Host } from '../model/host.ts';
import { WELL_KNOWN } from '../model/well-known.ts';
import { ResourcePool } from '../objects/resource-pool.ts';
import { VirtualMachine } from '../objects/virtual-machine.ts';
import type { VmRecord } from './vm-record.ts';

/** What vSphere gives for the levels: a pool counts as a machine with four processors. */
const SHARES_PER_PROCESSOR = { low: 500, normal: 1000, high: 2000 };
const PROCESSORS_OF_A_POOL = 4;
const LEAST_SHARES = 1;
const MOST_SHARES = 1_000_000;

/** The part of the processors that a machine's allocation gives it. */
export function machineShare(record: Pick<VmRecord, 'cpuAllocation' | 'cpus'>, cpuMhz: number): CpuShare {
  return shareOf(record.cpuAllocation, record.cpus, cpuMhz);
}

/** Refuses what would have no effect on this host. */
export function requireEnforceable(host: Host, allocation: ResourceAllocationInfo | undefined): void {
  if (allocation === undefined) return;
  const { reservation = 0, limit = -1, shares } = allocation;
  if (reservation > 0) {
    throw notSupported('This host does not reserve processors: use shares, or limits of the other pools.');
  }
  if (host.machines.sharesProcessors) return;
  if (limit >= 0 || (shares !== undefined && shares.level !== 'normal')) {
    throw notSupported(
      'This host cannot limit or share out processors: it has no control groups (cgroups) it may write.',
    );
  }
}

/** Has the machines share the processors as the pools now say. */
export async function applyProcessorShares(host: Host): Promise<void> {
  const { cpuMhz } = host.capacity;
  const pools = host.objects.all(ResourcePool).filter(({ ref }) => ref.value !== WELL_KNOWN.rootPool.value);
  try {
    await host.machines.shareProcessors(
      pools.map((pool) => ({
        id: pool.ref.value,
        parent: pool.parent?.ref.value === WELL_KNOWN.rootPool.value ? undefined : pool.parent?.ref.value,
        ...shareOf(pool.cpuAllocation, PROCESSORS_OF_A_POOL, cpuMhz),
      })),
      host.objects
        .all(VirtualMachine)
        .map(({ record }) => ({ id: record.uuid, pool: record.pool, cpu: machineShare(record, cpuMhz) })),
    );
  } catch (error) {
    throw generalFault(error);
  }
}

function shareOf({ limit = -1, shares }: ResourceAllocationInfo, processors: number, cpuMhz: number): CpuShare {
  const level = shares?.level ?? 'normal';
  const wanted = level === 'custom' ? (shares?.shares ?? 0) : SHARES_PER_PROCESSOR[level] * processors;
  return {
    limitCpus: limit < 0 ? undefined : limit / cpuMhz,
    shares: Math.min(MOST_SHARES, Math.max(LEAST_SHARES, wanted)),
  };
}

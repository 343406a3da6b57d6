import { mapLimit } from '@vic/async';
import type { Host } from '../model/host.ts';
import { isDisk } from './disk-plan.ts';
import type { VmRecord } from './vm-record.ts';

const READ_LIMIT = 4;

/** What the disks of a machine take. */
export interface VmStorage {
  readonly committedBytes: number;
  /** What they may still grow by. */
  readonly uncommittedBytes: number;
  readonly atMs: number;
}

/** Adds up a machine's disks, without their parents; a disk that cannot be read counts nothing. */
export async function measureStorage(host: Host, record: VmRecord): Promise<VmStorage> {
  const disks = await mapLimit(record.devices.filter(isDisk), READ_LIMIT, async ({ backing }) =>
    host.datastores.diskInfo(backing.fileName).catch(() => ({ allocatedBytes: 0, capacityBytes: 0 })),
  );
  const committedBytes = disks.reduce((sum, disk) => sum + disk.allocatedBytes, 0);
  const uncommittedBytes = disks.reduce((sum, disk) => sum + Math.max(0, disk.capacityBytes - disk.allocatedBytes), 0);
  return { committedBytes, uncommittedBytes, atMs: host.now().getTime() };
}

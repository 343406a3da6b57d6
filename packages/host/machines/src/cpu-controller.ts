import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CpuShare } from '@vic/inventory';

/** The kernel's control groups for processors: of version 2, or of version 1 where that still has them. */
export interface CpuController {
  readonly version: 1 | 2;
  /** Where its groups are mounted. */
  readonly directory: string;
}

/** The kernel's default period; limits are parts of it. */
const PERIOD_US = 100_000;
/** The kernel takes no less. */
const MIN_QUOTA_US = 1000;
/** `cpu.weight` of a machine or pool with vSphere's 1000 shares: the kernel's default. */
const SHARES_PER_WEIGHT = 10;
const MAX_WEIGHT = 10_000;
/** `cpu.shares` of version 1 for the same: 1024. */
const V1_SHARES_PER_SHARE = 1.024;
const MAX_V1_SHARES = 262_144;

/** The file of version 1 that a limit is written to. */
export const V1_QUOTA = 'cpu.cfs_quota_us';
/** What stands in it without a limit. */
export const V1_UNLIMITED = '-1';

/** Finds the controller among the mounted file systems; `undefined` where processors cannot be shared out. */
export async function findCpuController(mountsFile = '/proc/self/mounts'): Promise<CpuController | undefined> {
  const mounts = (await readFile(mountsFile, 'utf8')).split('\n').map((line) => line.split(' '));
  for (const [, directory = '', type] of mounts) {
    if (type === 'cgroup2' && (await offersCpu(directory))) return { version: 2, directory };
  }
  for (const [, directory = '', type, options = ''] of mounts) {
    if (type === 'cgroup' && options.split(',').includes('cpu')) return { version: 1, directory };
  }
  return undefined;
}

/** What is written into which file of a group. */
export function settingsOf(version: 1 | 2, { limitCpus, shares }: CpuShare): Readonly<Record<string, string>> {
  const quotaUs = limitCpus === undefined ? undefined : Math.max(MIN_QUOTA_US, Math.round(limitCpus * PERIOD_US));
  if (version === 2) {
    const weight = Math.min(MAX_WEIGHT, Math.max(1, Math.round(shares / SHARES_PER_WEIGHT)));
    return { 'cpu.weight': String(weight), 'cpu.max': `${quotaUs ?? 'max'} ${PERIOD_US}` };
  }
  const v1Shares = Math.min(MAX_V1_SHARES, Math.max(2, Math.round(shares * V1_SHARES_PER_SHARE)));
  return { 'cpu.shares': String(v1Shares), [V1_QUOTA]: quotaUs === undefined ? V1_UNLIMITED : String(quotaUs) };
}

/** Lets the groups below a directory have settings of their own. */
export async function delegateCpu(version: 1 | 2, directory: string): Promise<void> {
  if (version === 2) await writeFile(join(directory, 'cgroup.subtree_control'), '+cpu');
}

async function offersCpu(directory: string): Promise<boolean> {
  const controllers = await readFile(join(directory, 'cgroup.controllers'), 'utf8').catch(() => '');
  return controllers.trim().split(' ').includes('cpu');
}

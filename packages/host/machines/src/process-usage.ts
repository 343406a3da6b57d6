import { readFile } from 'node:fs/promises';
import type { MachineUsage } from '@vic/inventory';

/** USER_HZ of every Linux on x86 (clock ticks in `/proc`). */
const TICKS_PER_SECOND = 100;

/** What a process uses, its threads included. Zero when it is gone. */
export async function processUsage(pid: number): Promise<MachineUsage> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const memory = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
    // Fields are counted from the command's closing parenthesis: 14 and 15 are user and system time.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    return {
      cpuTimeMs: (ticks * 1000) / TICKS_PER_SECOND,
      privateMemoryBytes: bytesOf(memory, 'Private_Clean') + bytesOf(memory, 'Private_Dirty'),
      residentMemoryBytes: bytesOf(memory, 'Rss'),
    };
  } catch {
    return { cpuTimeMs: 0, privateMemoryBytes: 0, residentMemoryBytes: 0 };
  }
}

function bytesOf(rollup: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0) * 1024;
}

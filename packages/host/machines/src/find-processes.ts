import { readFile, readdir, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { mapLimit } from '@vic/async';
import { identifyProcess } from '@vic/process';
import type { ProcessIdentity } from '@vic/process';
import { QEMU_PROGRAM } from '@vic/qemu';

const READ_LIMIT = 32;
/** Where `ip netns` keeps the names of network namespaces. */
const NAMESPACES = '/run/netns';

/**
 * The QEMU processes of this computer by the machine id in their `-name`.
 *
 * One that is still dropping its privileges has QEMU's arguments behind those of `setpriv`.
 */
export async function findQemuProcesses(): Promise<ReadonlyMap<string, ProcessIdentity>> {
  const found = new Map<string, ProcessIdentity>();
  await mapLimit(await processNumbers(), READ_LIMIT, async (pid) => {
    const args = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    const program = args.findIndex((arg) => basename(arg) === QEMU_PROGRAM);
    const id = program >= 0 && args[program + 1] === '-name' ? args[program + 2] : undefined;
    const identity = id === undefined ? undefined : await identifyProcess(pid);
    if (id !== undefined && identity !== undefined) found.set(id, identity);
  });
  return found;
}

/** The processes in a network namespace. */
export async function processesInNamespace(name: string): Promise<readonly ProcessIdentity[]> {
  const namespace = await stat(`${NAMESPACES}/${name}`).catch(() => undefined);
  if (namespace === undefined) return [];
  const found = await mapLimit(await processNumbers(), READ_LIMIT, async (pid) => {
    const own = await stat(`/proc/${pid}/ns/net`).catch(() => undefined);
    return own?.ino === namespace.ino && own.dev === namespace.dev ? identifyProcess(pid) : undefined;
  });
  return found.filter((identity) => identity !== undefined);
}

async function processNumbers(): Promise<readonly number[]> {
  return (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
}

import { rename, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { VicError } from '@vic/errors';
import { delay } from '@vic/async';
import { NBD_PROGRAM, nbdServerArguments } from '@vic/qemu';
import type { ProcessIdentity } from '@vic/process';
import { endProcess, startDetached } from './detached-process.ts';
import { logTail } from './log-limit.ts';
import type { MachineFiles } from './machine-files.ts';
import type { DiskRecord } from './machine-record.ts';

const START_TIMEOUT_MS = 10_000;
const POLL_MS = 5;
/** A server told to stop writes out what it holds. */
const STOP_GRACE_MS = 10_000;

/** Serves a disk to a process VM; its socket appears in the device directory once it answers. */
export async function serveDisk(
  files: MachineFiles,
  disk: DiskRecord,
  user: { readonly uid: number; readonly commonGroup: number },
): Promise<ProcessIdentity> {
  const draft = join(files.deviceDisks, `.${disk.unitNumber}.new`);
  await rm(draft, { force: true });
  const served = nbdServerArguments({ path: disk.path, socket: draft, readOnly: disk.readOnly });
  const server = await startDetached({
    ...{ command: [NBD_PROGRAM, ...served], environment: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } },
    ...{ uid: user.uid, groups: [user.commonGroup], capabilities: [], log: files.log },
  });
  try {
    let ended = false;
    void server.exited.then(() => (ended = true));
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (!(await answers(draft))) {
      if (ended || performance.now() > deadline) throw notServed(disk, await logTail(files.log));
      await delay(POLL_MS);
    }
    await rename(draft, diskSocket(files, disk));
    return server.identity;
  } catch (error) {
    await endProcess(server.identity);
    throw error;
  }
}

/** Ends the server of a disk once everything is written, and takes its socket away. */
export async function stopServing(files: MachineFiles, disk: DiskRecord): Promise<void> {
  await rm(diskSocket(files, disk), { force: true });
  if (disk.server !== undefined) await endProcess(disk.server, STOP_GRACE_MS);
}

function diskSocket(files: MachineFiles, disk: DiskRecord): string {
  return join(files.deviceDisks, `${disk.unitNumber}.sock`);
}

async function answers(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = createConnection(path);
  socket.once('connect', () => resolve(true));
  socket.once('error', () => resolve(false));
  const result = await promise;
  socket.destroy();
  return result;
}

function notServed(disk: DiskRecord, reason: string): VicError {
  return new VicError({
    class: 'Unavailable',
    code: 'MACHINE_DISK_NOT_SERVED',
    message: `${NBD_PROGRAM} does not serve ${disk.path}: ${reason}`,
    remedy: 'Check that other users may pass through every folder above the disk (chmod o+x).',
  });
}

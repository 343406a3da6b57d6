import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { backingChain } from '@vic/qemu';

/**
 * Lets a machine's user open a disk: the disk itself becomes its own, parents readable by all machines.
 *
 * Parents are image layers, which many machines share and none may write.
 */
export async function grantDisk(path: string, readOnly: boolean, uid: number, commonGroup: number): Promise<void> {
  await setOwner(path, readOnly ? 0 : uid, readOnly ? commonGroup : uid, readOnly ? 0o640 : 0o600);
  for (const parent of await backingChain(path)) await setOwner(parent, 0, commonGroup, 0o640);
}

/** Takes a disk away from the machine's user again. */
export async function revokeDisk(path: string): Promise<void> {
  await setOwner(path, 0, 0, 0o600).catch(ignoreMissing);
}

async function setOwner(path: string, uid: number, gid: number, mode: number): Promise<void> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  const now = await file.stat();
  if (now.uid !== uid || now.gid !== gid) await file.chown(uid, gid);
  if ((now.mode & 0o7777) !== mode) await file.chmod(mode);
}

/** A disk may be deleted before its machine ends. */
function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

import { join } from 'node:path';
import { VicError } from '@vic/errors';
import { acquireLockFile } from '@vic/process';

/** Keeps other processes from making backups in a directory. */
export async function lockBackups(directory: string): Promise<AsyncDisposable> {
  const path = join(directory, '.lock');
  const lock = await acquireLockFile(path);
  if (lock !== undefined) return lock;
  throw new VicError({
    class: 'Conflict',
    code: 'REGISTRY_BACKUP_RUNS',
    message: `Another backup is being made in ${directory}.`,
    remedy: `Wait for it to end. If there is none on any machine, remove ${path}.`,
  });
}

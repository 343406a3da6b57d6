import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { DatastoreFiles } from '@vic/vim-client';
import { invalidOption } from './vch-error.ts';

/** Below the image store's folder; ISOs are shared by the VCHs of a datastore. */
export const BOOT_FOLDER = 'VIC/boot';

/** An ISO on this machine. */
export interface LocalIso {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** Reads the digest of the ISO container VMs are to boot from. */
export async function readBootstrapIso(path: string): Promise<LocalIso> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true) {
    throw invalidOption(
      `There is no bootstrap ISO at ${path}.`,
      'Build it with guest/image/build.ts, or name one with --bootstrap-iso.',
    );
  }
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return { path, sizeBytes: found.size, sha256: hash.digest('hex') };
}

/** Puts the ISO on the datastore unless the very same is there; gives its datastore path. */
export async function uploadBootstrapIso(
  files: DatastoreFiles,
  folder: string,
  iso: LocalIso,
  signal: AbortSignal,
): Promise<{ readonly path: string; readonly uploaded: boolean }> {
  const directory = [folder, BOOT_FOLDER].filter(Boolean).join('/');
  const target = `${directory}/bootstrap-${iso.sha256}.iso`;
  const path = files.pathOf(target);
  const there = await files.head(target, signal);
  if (there?.sizeBytes === iso.sizeBytes) return { path, uploaded: false };
  await files.makeDirectory(directory, signal);
  // Under another name until complete: an upload that breaks off must not look like the ISO.
  const partial = `${target}.${randomUUID()}.part`;
  try {
    await files.write(partial, createReadStream(iso.path), { sizeBytes: iso.sizeBytes, signal });
    await files.move(partial, target, { force: true, signal });
  } catch (error) {
    await files.delete(partial);
    throw error;
  }
  return { path, uploaded: true };
}

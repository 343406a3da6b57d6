import { copyFile, link, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { rolldown } from 'rolldown';

const root = dirname(dirname(import.meta.dirname));

/**
 * Puts a program of `apps/` and a Node.js to run it into `directory`; gives the command line that runs it.
 *
 * Process VMs run as users of their own, who cannot read a clone in somebody's home directory. One bundled file
 * also starts several times faster than the sources do.
 */
export async function installProgram(name: string, directory: string): Promise<readonly string[]> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const node = await installNode(directory);
  const file = join(directory, `${name}.mjs`);
  const bundle = await rolldown({
    input: join(root, 'apps', name, 'src/main.ts'),
    platform: 'node',
    // Warnings about `this` in CommonJS dependencies are of no use here; errors still throw.
    logLevel: 'silent',
  });
  const { output } = await bundle.generate({ format: 'esm', codeSplitting: false, sourcemap: true });
  for (const part of output) {
    const content = part.type === 'chunk' ? part.code : part.source;
    const path = part.type === 'chunk' ? file : join(directory, part.fileName);
    await writeFile(`${path}.new`, content);
    await rename(`${path}.new`, path);
  }
  await bundle.close();
  return [node, '--enable-source-maps', file];
}

async function installNode(directory: string): Promise<string> {
  const node = join(directory, 'node');
  await rm(`${node}.new`, { force: true });
  // A link costs nothing; across file systems, or where root owns links only, a copy is made.
  await link(process.execPath, `${node}.new`).catch(() => copyFile(process.execPath, `${node}.new`));
  await rename(`${node}.new`, node);
  return node;
}

import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** A workspace package or app of the repository. */
export interface Package {
  readonly name: string;
  /** Relative to the root. */
  readonly directory: string;
  readonly layer: string;
  readonly dependencies: ReadonlySet<string>;
  readonly developmentDependencies: ReadonlySet<string>;
}

/** All packages and apps below `root`. */
export async function readPackages(root: string): Promise<Package[]> {
  const directories = await packageDirectories(root);
  return Promise.all(
    directories.map(async (directory) => {
      const json = JSON.parse(await readFile(join(root, directory, 'package.json'), 'utf8')) as {
        name: string;
        dependencies?: Record<string, string>;
        devDependencies?: Record<string, string>;
      };
      return {
        name: json.name,
        directory,
        layer: directory.startsWith('apps/') ? 'apps' : (directory.split('/')[1] ?? ''),
        dependencies: new Set(Object.keys(json.dependencies ?? {})),
        developmentDependencies: new Set(Object.keys(json.devDependencies ?? {})),
      };
    }),
  );
}

async function packageDirectories(root: string): Promise<string[]> {
  const found: string[] = [];
  const below = async (directory: string): Promise<string[]> =>
    (await readdir(join(root, directory), { withFileTypes: true }).catch(() => []))
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(directory, entry.name));
  for (const layer of await below('packages')) found.push(...(await below(layer)));
  return [...found, ...(await below('apps'))];
}

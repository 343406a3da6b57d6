import { mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from '@vic/process';

const root = dirname(dirname(dirname(import.meta.dirname)));

/** Where built images are kept between runs: one OCI layout per image, tag `latest`. */
const IMAGE_CACHE = join(root, 'build/images');

/** Ten minutes: the slowest recipe installs packages into a Debian base under load. */
export const BUILD_TIMEOUT_MS = 600_000;

/** One image made from Debian's own packages. */
export interface ImageRecipe {
  readonly name: string;
  /** Raised whenever the recipe changes, so that cached results are made again. */
  readonly version: number;
  /** Fills the layout (already initialised) with tag `latest`; `scratch` is removed afterwards. */
  readonly build: (layout: string, scratch: string) => Promise<void>;
}

/** The path of the image's OCI layout, built now unless the cache has it. */
export async function buildImage(recipe: ImageRecipe): Promise<string> {
  const layout = join(IMAGE_CACHE, `${recipe.name}-v${recipe.version}`);
  if (await exists(join(layout, '.complete'))) return layout;
  const scratch = await mkdtemp(join(tmpdir(), `vic-image-${recipe.name}-`));
  try {
    const building = `${layout}.building-${process.pid}`;
    await rm(building, { recursive: true, force: true });
    await run('mkdir', ['-p', IMAGE_CACHE]);
    await run('umoci', ['init', '--layout', building]);
    await recipe.build(building, scratch);
    await writeFile(join(building, '.complete'), '');
    // Another process may have been faster, and read already what it made.
    const isThere = async (): Promise<boolean> => exists(join(layout, '.complete'));
    if (!(await isThere())) await rm(layout, { recursive: true, force: true });
    await rename(building, layout).catch(async (error: unknown) => {
      await rm(building, { recursive: true });
      if (!(await isThere())) throw error;
    });
    return layout;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Makes `layout` a copy of a finished one, to build further on. */
export async function copyLayout(finished: string, layout: string): Promise<void> {
  await rm(layout, { recursive: true, force: true });
  await run('cp', ['-a', finished, layout]);
  await rm(join(layout, '.complete'));
}

/** Adds a directory tree as one layer, names and owners as on disk, times fixed. */
export async function addLayer(layout: string, directory: string, scratch: string): Promise<void> {
  const archive = join(scratch, 'layer.tar');
  await run('tar', [
    '--create',
    `--file=${archive}`,
    `--directory=${directory}`,
    '--format=pax',
    '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime',
    '--xattrs',
    '--xattrs-include=*',
    '--numeric-owner',
    '--sort=name',
    '--mtime=@1700000000',
    '.',
  ]);
  await run('umoci', ['raw', 'add-layer', '--image', `${layout}:latest`, archive], { timeoutMs: BUILD_TIMEOUT_MS });
  await rm(archive);
}

/** Sets fields of the image's configuration, for example `{ cmd: ['sh'], user: 'redis' }`. */
export async function configure(
  layout: string,
  fields: Readonly<Record<string, string | readonly string[]>>,
): Promise<void> {
  const options = Object.entries(fields).flatMap(([name, value]) =>
    [value].flat().flatMap((one) => [`--config.${name}`, one]),
  );
  await run('umoci', ['config', '--image', `${layout}:latest`, ...options]);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

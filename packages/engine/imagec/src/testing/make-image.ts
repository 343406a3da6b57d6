import { run } from '@vic/process';

/** An image as a test wants it. */
export interface ImageRecipe {
  /** OCI layout directory; made when it does not exist. */
  readonly layout: string;
  readonly tag: string;
  /** Uncompressed layer archives, lowest first. */
  readonly layers: readonly string[];
  /** Further `umoci config` options. */
  readonly config?: readonly string[];
}

/** How an image is pushed. */
export interface PushOptions {
  readonly format?: 'oci' | 'v2s2';
  readonly compression?: 'gzip' | 'zstd';
  /** `name:password`. */
  readonly credentials?: string;
}

/** Makes an image in an OCI layout with umoci. */
export async function makeImage(recipe: ImageRecipe): Promise<void> {
  const image = `${recipe.layout}:${recipe.tag}`;
  await run('umoci', ['init', '--layout', recipe.layout], { okCodes: [0, 1] });
  await run('umoci', ['new', '--image', image]);
  for (const layer of recipe.layers) await run('umoci', ['raw', 'add-layer', '--image', image, layer]);
  await run('umoci', [
    'config',
    '--image',
    image,
    '--os',
    'linux',
    '--architecture',
    'amd64',
    ...(recipe.config ?? []),
  ]);
}

/** Pushes an image of a layout to a registry, over plain HTTP where it must be, with skopeo. */
export async function pushImage(source: string, target: string, options: PushOptions = {}): Promise<void> {
  await run('skopeo', [
    'copy',
    '--insecure-policy',
    '--quiet',
    '--dest-tls-verify=false',
    '--format',
    options.format ?? 'oci',
    ...(options.compression === undefined ? [] : ['--dest-compress-format', options.compression, '--dest-compress']),
    ...(options.credentials === undefined ? [] : ['--dest-creds', options.credentials]),
    `oci:${source}`,
    `docker://${target}`,
  ]);
}

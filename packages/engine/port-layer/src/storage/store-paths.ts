import type { ChainId } from '@vic/oci';

/** Where the image store keeps its things, relative to the VCH's folder on the datastore. */
export const STORE_PATHS = {
  images: 'images',
  layers: 'images/layers',
  metadata: 'images/metadata',
  repositories: 'images/repositories.json',
  scratch: 'images/scratch',
  scratchDisk: 'images/scratch/disk.vmdk',
  scratchMarker: 'images/scratch/scratch.json',
} as const;

/** The files of one group of layers. */
export interface LayerPaths {
  readonly directory: string;
  readonly disk: string;
  readonly directories: string;
  /** Written last: without it the directory counts for nothing. */
  readonly marker: string;
}

/** The files of the group whose topmost layer has this chain id. */
export function layerPaths(chainId: ChainId): LayerPaths {
  const directory = `${STORE_PATHS.layers}/${hexOf(chainId)}`;
  return {
    directory,
    disk: `${directory}/disk.vmdk`,
    directories: `${directory}/directories.json`,
    marker: `${directory}/layer.json`,
  };
}

/** The digits of a digest. */
export function hexOf(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1);
}

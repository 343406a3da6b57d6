import { digestOfBytes } from './digest.ts';
import type { Digest } from './digest.ts';

/** The identity of a layer together with all below it. */
export type ChainId = Digest;

/** The chain id of each layer, lowest first (OCI image-spec, config.md "Layer ChainID"). */
export function chainIds(diffIds: readonly Digest[]): readonly ChainId[] {
  const chain: ChainId[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffId : digestOfBytes(`${below} ${diffId}`));
  }
  return chain;
}

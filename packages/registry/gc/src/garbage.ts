import { displaySize } from '@vic/policies';

/** What a collection has removed, or would remove. */
export interface Garbage {
  /** Without tags; what belongs to them goes with them and is not counted. */
  artifacts: number;
  blobs: number;
  manifests: number;
  uploads: number;
  freedBytes: number;
}

/** Nothing yet. */
export function noGarbage(): Garbage {
  return { artifacts: 0, blobs: 0, manifests: 0, uploads: 0, freedBytes: 0 };
}

/** For people: `2 blobs and 1 manifest, 4.2 KiB`. */
export function describeGarbage(garbage: Garbage): string {
  const parts = [
    counted(garbage.artifacts, 'artifact without tags', 'artifacts without tags'),
    counted(garbage.blobs, 'blob'),
    counted(garbage.manifests, 'manifest'),
    counted(garbage.uploads, 'abandoned upload'),
  ].filter((part) => part !== undefined);
  const last = parts.pop();
  if (last === undefined) return 'nothing';
  const all = parts.length === 0 ? last : `${parts.join(', ')} and ${last}`;
  return `${all}, ${displaySize(garbage.freedBytes)}`;
}

function counted(count: number, one: string, many = `${one}s`): string | undefined {
  return count === 0 ? undefined : `${count} ${count === 1 ? one : many}`;
}

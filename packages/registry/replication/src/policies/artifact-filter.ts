import { MEDIA_TYPES, isIndexType } from '@vic/oci';
import { compileGlob } from './glob.ts';
import type { Glob } from './glob.ts';
import type { ReplicationFilter } from './replication-policy.ts';

/** The filters of a policy, ready to be asked. */
export class ArtifactFilter {
  /** The pattern of names, for those who can list by it; empty for every name. */
  readonly namePattern: string;
  /** Whether deciding takes an artifact's labels. */
  readonly needsLabels: boolean;
  /** Whether deciding takes an artifact's manifest. */
  readonly needsKind: boolean;
  readonly #names: readonly Glob[];
  readonly #tags: readonly { readonly matches: Glob; readonly wanted: boolean }[];
  readonly #labels: readonly { readonly names: readonly string[]; readonly wanted: boolean }[];

  constructor(filters: readonly ReplicationFilter[]) {
    const names = filters.filter((filter) => filter.type === 'name');
    const labels = filters.filter((filter) => filter.type === 'label' && filter.value.length > 0);
    this.namePattern = names[0]?.value ?? '';
    this.needsLabels = labels.length > 0;
    this.#names = names.map(({ value }) => compileGlob(value));
    this.#tags = filters.flatMap((filter) =>
      filter.type === 'tag' && filter.value !== ''
        ? [{ matches: compileGlob(filter.value), wanted: filter.decoration === 'matches' }]
        : [],
    );
    this.#labels = labels.flatMap((filter) =>
      filter.type === 'label' ? [{ names: filter.value, wanted: filter.decoration === 'matches' }] : [],
    );
    this.needsKind = filters.some((filter) => filter.type === 'resource' && filter.value === 'image');
  }

  /** Whether artifacts of the repository may travel. */
  acceptsRepository(repository: string): boolean {
    return this.#names.every((matches) => matches(repository));
  }

  /** Whether the tag, or with the empty name what has no tag, may travel. */
  acceptsTag(tag: string): boolean {
    return this.#tags.every(({ matches, wanted }) => matches(tag) === wanted);
  }

  /** Whether an artifact with these labels may travel. */
  acceptsLabels(labels: readonly string[]): boolean {
    return this.#labels.every(({ names, wanted }) => names.every((name) => labels.includes(name)) === wanted);
  }

  /** Whether an artifact of that kind may travel. */
  acceptsKind(mediaType: string, configMediaType: string): boolean {
    if (!this.needsKind || isIndexType(mediaType)) return true;
    return configMediaType === MEDIA_TYPES.dockerConfig || configMediaType === MEDIA_TYPES.ociConfig;
  }
}

/** The kinds of registries this one can work with. */
export type AdapterType = 'vic' | 'harbor' | 'docker-registry' | 'docker-hub';

/** What one kind of registry can do, as the REST API tells it. */
export interface AdapterDescription {
  readonly description: string;
  /** Fixed endpoints, where the kind has only these. */
  readonly endpoints: readonly { readonly key: string; readonly value: string }[];
  readonly filters: readonly AdapterFilter[];
  readonly copyByChunk: boolean;
}

/** One filter a policy may use with the kind. */
export interface AdapterFilter {
  readonly type: 'name' | 'tag' | 'label' | 'resource';
  readonly style: 'input' | 'radio' | 'list';
  readonly values?: readonly string[];
}

const NAME_AND_TAG: readonly AdapterFilter[] = [
  { type: 'name', style: 'input' },
  { type: 'tag', style: 'input' },
];
const WITH_RESOURCE: readonly AdapterFilter[] = [
  { type: 'resource', style: 'radio', values: ['image', 'artifact'] },
  ...NAME_AND_TAG,
];

/** Every kind, by its name in the API. */
export const ADAPTERS: Readonly<Record<AdapterType, AdapterDescription>> = {
  vic: {
    description: 'Another registry of this product: copies carry their origin, and the later writer of a tag wins.',
    endpoints: [],
    filters: [...WITH_RESOURCE, { type: 'label', style: 'list' }],
    copyByChunk: true,
  },
  harbor: {
    description: 'Harbor 2.0 or later.',
    endpoints: [],
    filters: [...WITH_RESOURCE, { type: 'label', style: 'list' }],
    copyByChunk: true,
  },
  'docker-registry': {
    description: 'Any registry that speaks the distribution protocol.',
    endpoints: [],
    filters: WITH_RESOURCE,
    copyByChunk: true,
  },
  'docker-hub': {
    description: 'Docker Hub. Repositories are named by the filters: it has no list of them.',
    endpoints: [{ key: 'hub.docker.com', value: 'https://hub.docker.com' }],
    filters: WITH_RESOURCE,
    copyByChunk: false,
  },
};

/** The names of the kinds, in the order the API lists them. */
export const ADAPTER_TYPES = Object.keys(ADAPTERS) as readonly AdapterType[];

/** Whether `text` names a kind. */
export function isAdapterType(text: string): text is AdapterType {
  return Object.hasOwn(ADAPTERS, text);
}

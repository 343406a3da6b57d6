/** What a collection has removed, or would remove. */
export interface Garbage {
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

/** For people: `3 blobs, …, 12345 bytes`. */
export function describeGarbage(garbage: Garbage): string {
  const { artifacts, blobs, manifests, uploads, freedBytes } = garbage;
  return `${artifacts} artifacts, ${blobs} blobs, ${manifests} manifests and ${uploads} uploads, ${freedBytes} bytes`;
}

import { isContentDigest, isRepositoryName } from '@vic/oci';
import type { ContentDigest } from '@vic/oci';
import { invalidDigest, invalidName } from './distribution-error.ts';

/** What a URL below `/v2/` names. */
export type DistributionRoute =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'tags'; readonly name: string }
  | { readonly kind: 'referrers'; readonly name: string; readonly digest: ContentDigest }
  | { readonly kind: 'manifest'; readonly name: string; readonly reference: string }
  | { readonly kind: 'blob'; readonly name: string; readonly digest: ContentDigest }
  | { readonly kind: 'uploads'; readonly name: string }
  | { readonly kind: 'upload'; readonly name: string; readonly id: string };

/** Stores make their ids of these characters. */
const UPLOAD_ID = /^[\w.-]{1,128}$/;

/** Reads the path of a URL; `undefined` when nothing is there. Names contain slashes, so it is read from its end. */
export function parseDistributionRoute(path: string): DistributionRoute | undefined {
  const segments = path.split('/').slice(2);
  while (segments.at(-1) === '') segments.pop();
  if (segments.length === 0) return { kind: 'base' };
  if (segments.length === 1 && segments[0] === '_catalog') return { kind: 'catalog' };
  const last = decoded(segments.at(-1) ?? '');
  const before = segments.at(-2);
  if (before === 'tags' && last === 'list') return { kind: 'tags', name: nameIn(segments, 2) };
  if (before === 'manifests') return { kind: 'manifest', name: nameIn(segments, 2), reference: last };
  if (before === 'referrers') {
    return { kind: 'referrers', name: nameIn(segments, 2), digest: digestIn(last) };
  }
  if (segments.at(-3) === 'blobs' && before === 'uploads' && UPLOAD_ID.test(last)) {
    return { kind: 'upload', name: nameIn(segments, 3), id: last };
  }
  if (before === 'blobs' && last === 'uploads') return { kind: 'uploads', name: nameIn(segments, 2) };
  if (before === 'blobs') return { kind: 'blob', name: nameIn(segments, 2), digest: digestIn(last) };
  return undefined;
}

/** The name of the repository that an URL contains before its last `count` segments. */
function nameIn(segments: readonly string[], count: number): string {
  const name = segments.slice(0, -count).join('/');
  if (!isRepositoryName(name)) throw invalidName(name);
  return name;
}

/** The digest in a URL or parameter. */
export function digestIn(text: string): ContentDigest {
  if (isContentDigest(text)) return text;
  throw invalidDigest(text);
}

/** Some clients encode the colon of a digest. */
function decoded(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

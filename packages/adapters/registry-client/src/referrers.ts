import { VicError } from '@vic/errors';
import { isContentDigest } from '@vic/oci';
import type { ContentDigest } from '@vic/oci';

/** One manifest that names another as its subject. */
export interface ReferrerDescriptor {
  readonly digest: ContentDigest;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly artifactType: string;
  readonly annotations: Readonly<Record<string, string>>;
}

const MAX_REFERRERS = 10_000;

/** The tag under which clients list the referrers of a manifest where the registry cannot (distribution-spec 1.1). */
export function fallbackTag(subject: ContentDigest): string {
  return subject.replace(':', '-').slice(0, 128);
}

/** Parses an index of referrers. */
export function parseReferrers(text: string): ReferrerDescriptor[] {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw malformed(cause);
  }
  const manifests = (document as { readonly manifests?: unknown } | null)?.manifests;
  if (manifests === undefined || manifests === null) return [];
  if (!Array.isArray(manifests) || manifests.length > MAX_REFERRERS) throw malformed();
  return manifests.map((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null) throw malformed();
    const fields = entry as Readonly<Record<string, unknown>>;
    const annotations = typeof fields['annotations'] === 'object' ? (fields['annotations'] ?? {}) : {};
    const digest = textOf(fields['digest']);
    if (!isContentDigest(digest)) throw malformed();
    return {
      digest,
      mediaType: textOf(fields['mediaType']),
      sizeBytes: Number(fields['size'] ?? 0),
      artifactType: textOf(fields['artifactType']),
      annotations: Object.fromEntries(Object.entries(annotations).map(([key, value]) => [key, textOf(value)])),
    };
  });
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function malformed(cause?: unknown): VicError {
  return new VicError({
    class: 'Unavailable',
    code: 'REGISTRY_REFERRERS',
    message: 'The registry answered with a list of referrers that is not one.',
    cause,
  });
}

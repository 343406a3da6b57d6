import { type Filters, type ImageSummary, dateToNs, parseFilters, parseMoment } from '@vic/docker-api';
import type { Image } from '../backends.ts';
import type { Call } from '../http/call.ts';
import type { PersonalityContext } from '../personality.ts';
import { findImage } from './image-access.ts';
import { splitTag } from './reference.ts';

const KEYS = ['before', 'dangling', 'label', 'reference', 'since', 'until'];

/** `GET /images/json`: newest first. */
export function listImages(context: PersonalityContext, call: Call): void {
  const filters = parseFilters(call.query('filters'), KEYS);
  const matches = imageMatcher(context, filters, context.clock());
  const legacyName = call.query('filter') ?? '';
  const shared = call.flag('shared-size') && call.speaks('1.42');
  const images = [...context.images.list()].filter(
    (image) => matches(image) && (legacyName === '' || matchesReference(image, legacyName)),
  );
  images.sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));
  call.json(
    200,
    images.map((image) => imageSummary(image, call, { containers: -1, sharedSize: shared ? 0 : -1 })),
  );
}

/** An image of a list, in the form of the client's API version. */
export function imageSummary(
  image: Image,
  call: Call,
  counts: { readonly containers: number; readonly sharedSize: number },
): ImageSummary {
  const labels = image.config.Labels ?? {};
  return {
    Containers: counts.containers,
    Created: Math.floor(Date.parse(image.createdAt) / 1000) || 0,
    Id: image.id,
    Labels: Object.keys(labels).length === 0 ? null : labels,
    ParentId: '',
    ...namesOf(image, call),
    SharedSize: counts.sharedSize,
    Size: image.sizeBytes,
    ...(call.speaks('1.44') ? {} : { VirtualSize: image.sizeBytes }),
  };
}

/** Before 1.43 an image without a name was shown as `<none>:<none>`. */
function namesOf(image: Image, call: Call): Pick<ImageSummary, 'RepoDigests' | 'RepoTags'> {
  const { repoTags, repoDigests } = image;
  if (call.speaks('1.43') || repoTags.length > 0) return { RepoDigests: repoDigests, RepoTags: repoTags };
  if (repoDigests.length > 0) return { RepoDigests: repoDigests, RepoTags: ['<none>:<none>'] };
  return { RepoDigests: ['<none>@<none>'], RepoTags: ['<none>:<none>'] };
}

/** A predicate for the filters that lists and prunes of images share. */
export function imageMatcher(context: PersonalityContext, filters: Filters, nowNs: bigint): (image: Image) => boolean {
  const createdNs = (image: Image): bigint => dateToNs(new Date(image.createdAt));
  const before = filters.get('before').map((reference) => createdNs(findImage(context.images, reference)));
  const since = filters.get('since').map((reference) => createdNs(findImage(context.images, reference)));
  const until = filters.get('until').map((text) => parseMoment(text, nowNs) ?? nowNs);
  const dangling = filters.boolean('dangling');
  return (image) =>
    before.every((time) => createdNs(image) < time) &&
    since.every((time) => createdNs(image) > time) &&
    until.every((time) => createdNs(image) < time) &&
    (dangling === undefined || dangling === (image.repoTags.length === 0)) &&
    filters.matchesLabels('label', image.config.Labels ?? {}) &&
    filters.matchesAny('reference', (pattern) => matchesReference(image, pattern));
}

/** Whether one of the image's names, with or without tag, matches a shell pattern (`*`, `?`). */
function matchesReference(image: Image, pattern: string): boolean {
  return [...image.repoTags, ...image.repoDigests].some((name) => {
    const repository = name.includes('@') ? (name.split('@')[0] ?? '') : splitTag(name).repository;
    const last = repository.slice(repository.lastIndexOf('/') + 1);
    return [name, repository, last].some((candidate) => globMatches(pattern, candidate));
  });
}

/** `*` and `?` do not cross a slash, as in Go's path.Match. Linear: it never goes back past the last star. */
function globMatches(pattern: string, text: string): boolean {
  let p = 0;
  let star = -1;
  let resume = 0;
  for (let t = 0; t < text.length;) {
    if (pattern[p] === '*') {
      star = p++;
      resume = t;
    } else if (pattern[p] === text[t] || (pattern[p] === '?' && text[t] !== '/')) {
      p++;
      t++;
    } else if (star >= 0 && text[resume] !== '/') {
      p = star + 1;
      t = ++resume;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

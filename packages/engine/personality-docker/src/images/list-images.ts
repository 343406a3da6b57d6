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
  const references = legacyName === '' ? filters.get('reference') : [legacyName];
  const shared = call.flag('shared-size') && call.speaks('1.42');
  const images = context.images
    .list()
    .filter(matches)
    .flatMap((image) => withMatchingNames(image, references));
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
    filters.matchesLabels('label', image.config.Labels ?? {});
}

/** The image with those of its names that match one of the patterns; nothing when none does. */
function withMatchingNames(image: Image, patterns: readonly string[]): Image[] {
  if (patterns.length === 0) return [image];
  const matches = (name: string): boolean => patterns.some((pattern) => matchesReference(name, pattern));
  const repoTags = image.repoTags.filter(matches);
  const repoDigests = image.repoDigests.filter(matches);
  return repoTags.length + repoDigests.length === 0 ? [] : [{ ...image, repoTags, repoDigests }];
}

/** Whether a name, with or without its tag or digest, matches a shell pattern (`*`, `?`). */
function matchesReference(name: string, pattern: string): boolean {
  const repository = name.includes('@') ? (name.split('@')[0] ?? '') : splitTag(name).repository;
  return [name, repository].some((candidate) => globMatches(pattern, candidate));
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

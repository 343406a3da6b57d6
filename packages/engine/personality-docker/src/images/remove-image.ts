import { parseFilters } from '@vic/docker-api';
import type { Image, ImageRemoval } from '../backends.ts';
import type { Call } from '../http/call.ts';
import { invalid } from '../http/docker-error.ts';
import type { PersonalityContext } from '../personality.ts';
import { findImage } from './image-access.ts';
import { imageAttributes } from './inspect-image.ts';
import { imageMatcher } from './list-images.ts';
import { familiarReference, isImageId } from './reference.ts';

/** `DELETE /images/{name}`. */
export async function removeImage(context: PersonalityContext, call: Call): Promise<void> {
  const reference = call.param('name');
  const force = call.flag('force');
  const image = findImage(context.images, reference);
  const removed = await context.images.remove(reference, { force }, context.lifetime);
  call.json(200, reported(context, image, removed));
}

/** `POST /images/prune`: images without a name, or (`dangling=false`) all that no container uses. */
export async function pruneImages(context: PersonalityContext, call: Call): Promise<void> {
  const filters = parseFilters(call.query('filters'), ['dangling', 'label', 'until']);
  const danglingOnly = filters.boolean('dangling') ?? true;
  const used = new Set(context.execution.list().map(({ config }) => config.imageId));
  const matches = imageMatcher(
    context,
    danglingOnly ? filters : parseFilters(withoutDangling(call.query('filters')), ['label', 'until']),
    context.clock(),
  );
  const doomed = context.images
    .list()
    .filter((image) => !used.has(image.id) && (!danglingOnly || image.repoTags.length === 0) && matches(image));
  const deleted: object[] = [];
  let reclaimed = 0;
  for (const image of doomed) {
    deleted.push(...reported(context, image, await context.images.remove(image.id, { force: true }, call.signal)));
    reclaimed += image.sizeBytes;
  }
  context.events.publish('image', 'prune', { id: '', attributes: { reclaimed: String(reclaimed) } });
  call.json(200, { ImagesDeleted: deleted.length === 0 ? null : deleted, SpaceReclaimed: reclaimed });
}

/** `POST /images/{name}/tag`. */
export async function tagImage(context: PersonalityContext, call: Call): Promise<void> {
  const image = findImage(context.images, call.param('name'));
  const repository = call.query('repo') ?? '';
  const tag = call.query('tag') || 'latest';
  if (repository === '' || isImageId(repository)) throw invalid('invalid reference format');
  if (!/^[\w][\w.-]{0,127}$/.test(tag)) throw invalid('invalid tag format');
  const reference = `${repository}:${tag}`;
  await context.images.tag(image.id, reference, context.lifetime);
  context.events.publish('image', 'tag', {
    id: image.id,
    attributes: imageAttributes(image, familiarReference(reference)),
  });
  call.empty(201);
}

function reported(context: PersonalityContext, image: Image, removed: readonly ImageRemoval[]): object[] {
  return removed.map((one) => {
    if ('untagged' in one) {
      context.events.publish('image', 'untag', { id: image.id, attributes: imageAttributes(image, image.id) });
      return { Untagged: one.untagged };
    }
    if (one.deleted === image.id)
      context.events.publish('image', 'delete', { id: image.id, attributes: imageAttributes(undefined, image.id) });
    return { Deleted: one.deleted };
  });
}

/** The `dangling=false` of a prune asks for more than dangling images; it must not filter them out. */
function withoutDangling(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return text;
  const { dangling: _, ...rest } = JSON.parse(text) as Record<string, unknown>;
  return JSON.stringify(rest);
}

import { parseFilters } from '@vic/docker-api';
import { shortId } from '@vic/ids';
import type { Container } from '@vic/port-layer';
import type { Image, ImageRemoval } from '../backends.ts';
import type { Call } from '../http/call.ts';
import { conflict, invalid } from '../http/docker-error.ts';
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
  refuseInUse(context, image, reference, force);
  const removed = await context.images.remove(reference, { force }, call.signal);
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
  await context.images.tag(image.id, reference, call.signal);
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

/** Docker's rules: a name that is not the last one may always go; the last one, or the id, only when no container needs the image. */
function refuseInUse(context: PersonalityContext, image: Image, reference: string, force: boolean): void {
  const byId = isImageId(reference) || image.id.replace('sha256:', '').startsWith(reference.replace('sha256:', ''));
  const names = image.repoTags;
  const user = (running: boolean): Container | undefined =>
    context.execution
      .list()
      .find(({ config, state }) => config.imageId === image.id && (state.status === 'running') === running);
  if (byId && names.length > 1 && !force) {
    throw conflict(
      `conflict: unable to delete ${shortId(image.id)} (must be forced) - image is referenced in multiple repositories`,
    );
  }
  if (!byId && names.length > 1) return;
  const running = user(true);
  if (running !== undefined) {
    if (!byId && force) return;
    throw conflict(
      inUse(
        byId ? shortId(image.id) : familiarReference(reference),
        'cannot be forced',
        'running',
        running,
        byId,
        image,
      ),
    );
  }
  const stopped = user(false);
  if (stopped !== undefined && !force) {
    throw conflict(
      inUse(byId ? shortId(image.id) : familiarReference(reference), 'must be forced', 'stopped', stopped, byId, image),
    );
  }
}

function inUse(name: string, force: string, state: string, user: Container, byId: boolean, image: Image): string {
  const container = shortId(user.config.id);
  if (byId)
    return `conflict: unable to delete ${name} (${force}) - image is being used by ${state} container ${container}`;
  return `conflict: unable to remove repository reference "${name}" (must force) - container ${container} is using its referenced image ${shortId(image.id)}`;
}

/** The `dangling=false` of a prune asks for more than dangling images; it must not filter them out. */
function withoutDangling(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return text;
  const { dangling: _, ...rest } = JSON.parse(text) as Record<string, unknown>;
  return JSON.stringify(rest);
}

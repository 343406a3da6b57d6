import { VicError } from '@vic/errors';
import { shortId } from '@vic/ids';
import type { ImageId } from '@vic/ids';
import { familiarReference, parseReference } from '@vic/oci';
import type { ImageReference } from '@vic/oci';
import type { ImageRecord, ImageRecords } from './image-records.ts';
import type { ImageUser, RemoveOptions } from './image.ts';

/** What has to be done to remove what the user named. */
export interface RemovalPlan {
  readonly untag: readonly ImageReference[];
  /** The image itself goes too. */
  readonly deletesImage: boolean;
}

/**
 * Decides what removing `name` means, by Docker's rules, or throws Docker's conflict.
 *
 * A name is taken off; the image goes with its last name. An id removes the image with all its names, which
 * needs force when they are in several repositories.
 */
export function planRemoval(
  name: string,
  options: RemoveOptions,
  records: ImageRecords,
  usersOf: (id: ImageId) => readonly ImageUser[],
): RemovalPlan {
  const { record, byId } = records.find(name);
  const references = records.referencesOf(record.id);
  const untag = byId ? references : namesToTakeOff(parseReference(name), references);
  const isLast = untag.length === references.length;
  if (byId && !options.force) refuseSeveralRepositories(record, references);
  if (!isLast) return { untag, deletesImage: false };
  const users = usersOf(record.id);
  if (!options.force && !byId) refuseUsedName(name, record, users);
  const hard = hardConflict(record, records, users);
  // A name may go while the image stays, untagged, for what still needs it.
  if (hard !== undefined && !byId && options.force) return { untag, deletesImage: false };
  if (hard !== undefined) throw hard;
  const stopped = users[0];
  if (stopped === undefined) return { untag, deletesImage: true };
  if (options.force && untag.length > 0) return { untag, deletesImage: false };
  throw conflict(record, options.force, `image is being used by stopped container ${shortId(stopped.containerId)}`);
}

/** The name itself, and the digests of its repository when it was the repository's last tag. */
function namesToTakeOff(given: ImageReference, references: readonly ImageReference[]): readonly ImageReference[] {
  const tag = given.digest === undefined ? (given.tag ?? 'latest') : undefined;
  const isGiven = (reference: ImageReference): boolean =>
    inSameRepository(reference, given) &&
    (tag === undefined ? reference.digest === given.digest : reference.tag === tag && reference.digest === undefined);
  const others = references.filter((reference) => inSameRepository(reference, given) && !isGiven(reference));
  const wasLastTag = tag !== undefined && others.every(({ tag: other }) => other === undefined);
  return [...references.filter(isGiven), ...(wasLastTag ? others : [])];
}

function refuseSeveralRepositories(record: ImageRecord, references: readonly ImageReference[]): void {
  const tags = references.filter(({ tag }) => tag !== undefined);
  // Digests alone never stand in the way: pulling the same image twice may have left several.
  if (tags.length > 1) throw conflict(record, false, 'image is referenced in multiple repositories');
}

function refuseUsedName(name: string, record: ImageRecord, users: readonly ImageUser[]): void {
  const [user] = users;
  if (user === undefined) return;
  throw new VicError({
    class: 'Conflict',
    code: 'IMAGE_IN_USE',
    message: `conflict: unable to remove repository reference "${familiarReference(parseReference(name))}" (must force) - container ${shortId(user.containerId)} is using its referenced image ${shortId(record.id)}`,
  });
}

function hardConflict(record: ImageRecord, records: ImageRecords, users: readonly ImageUser[]): VicError | undefined {
  const running = users.find((user) => user.running);
  if (running !== undefined) {
    return conflict(record, true, `image is being used by running container ${shortId(running.containerId)}`);
  }
  const hasChildren = records.all().some(({ parentId }) => parentId === record.id);
  return hasChildren ? conflict(record, true, 'image has dependent child images') : undefined;
}

function conflict(record: ImageRecord, isHard: boolean, reason: string): VicError {
  const how = isHard ? 'cannot be forced' : 'must be forced';
  return new VicError({
    class: 'Conflict',
    code: 'IMAGE_IN_USE',
    message: `conflict: unable to delete ${shortId(record.id)} (${how}) - ${reason}`,
  });
}

function inSameRepository(a: ImageReference, b: ImageReference): boolean {
  return a.domain === b.domain && a.path === b.path;
}

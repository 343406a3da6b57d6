import { isVicError } from '@vic/errors';
import { isContentDigest } from '@vic/oci';
import type { TransferRoute } from '../transfer/copy-artifact.ts';
import type { PendingItem } from './pending-work.ts';
import type { SentTags } from './sent-tags.ts';

/** From where to where, and what was brought there before. */
export interface DeletionRoute extends TransferRoute {
  readonly sent: SentTags;
}

/** Removes at the destination what was deleted at the source, unless it has become something else there. */
export async function deleteReference(route: DeletionRoute, item: PendingItem): Promise<void> {
  const { sent, target, targetRepository, signal, tell } = route;
  const { reference } = item;
  const name = `${targetRepository}${isContentDigest(reference) ? '@' : ':'}${reference}`;
  const there = await target.head(targetRepository, reference, signal);
  if (there === undefined) return tell(`${name} is not at the destination.`);
  if (isContentDigest(reference)) {
    try {
      await target.deleteArtifact(targetRepository, reference, signal);
      tell(`Deleted ${name}.`);
    } catch (error) {
      // An index of the destination's own may list it; it stays for as long as that does.
      if (!isVicError(error, { code: 'REGISTRY_REFUSED' })) throw error;
      tell(`${name} stays at the destination: ${error.message}`);
    }
    return;
  }
  if (there.digest !== item.digest && !(await sent.isLast(reference, there.digest))) {
    return tell(`${name} names something else at the destination and stays.`);
  }
  await target.deleteTag(targetRepository, reference, signal);
  tell(`Deleted ${name}.`);
}

import type { Executor } from '@vic/sql';
import { imagesWith, listNames, namesOf } from './concerned-images.ts';
import { listDamage } from './damaged-content.ts';

/** What is looked at of it: enough to see how bad it is. */
const DAMAGE_SHOWN = 20;
const IMAGES_OF_EACH = 100;
const NAMES_SHOWN = 10;

/** In one sentence what was found damaged and not made good since, with the images that need it; `undefined` for nothing. */
export async function describeDamage(db: Executor): Promise<string | undefined> {
  const { items, total } = await listDamage(db, { offset: 0, limit: DAMAGE_SHOWN });
  if (total === 0) return undefined;
  const names = new Set<string>();
  for (const { digest } of items) {
    const { images } = await imagesWith(db, digest, IMAGES_OF_EACH);
    for (const name of images.flatMap(namesOf)) names.add(name);
  }
  const what = total === 1 ? '1 blob or manifest is damaged' : `${total} blobs and manifests are damaged`;
  return names.size === 0 ? `${what}; no image needs it` : `${what}, needed by ${listNames([...names], NAMES_SHOWN)}`;
}

import type { DamageListener } from '@vic/blob';
import { describeError } from '@vic/errors';
import type { Logger } from '@vic/log';
import type { Database, Executor } from '@vic/sql';
import { imagesWith, listNames, namesOf } from './concerned-images.ts';

/** A base layer is part of thousands. */
const IMAGES_LOGGED = 10;

/** Content found to be other than its digest says. */
export interface DamagedContent {
  readonly digest: string;
  readonly kind: 'blob' | 'manifest';
  readonly foundAtMs: number;
  readonly quarantinedAs: string | undefined;
}

/** What the blob store tells of a damaged blob, written down for an administrator: give it to the store's driver. */
export function recordDamage(deps: { readonly database: Database; readonly logger: Logger }): DamageListener {
  return ({ digest, quarantinedAs }) => {
    deps.logger.error('A damaged blob was put into quarantine', { digest, quarantinedAs });
    noteFound(deps, { digest, kind: 'blob', foundAtMs: Date.now(), quarantinedAs }).catch((error: unknown) => {
      deps.logger.warn('A damaged blob could not be noted', { digest, error: describeError(error) });
    });
  };
}

async function noteFound(
  { database, logger }: { readonly database: Database; readonly logger: Logger },
  damage: DamagedContent,
): Promise<void> {
  await noteDamage(database.db, damage);
  const { images, total } = await imagesWith(database.db, damage.digest, IMAGES_LOGGED);
  const names = [...new Set(images.flatMap(namesOf))];
  if (names.length === 0) return;
  const text = listNames(names, IMAGES_LOGGED, total - images.length);
  logger.error('A damaged blob is needed', { digest: damage.digest, images: text });
}

/** Notes damage; what was noted of the same content before is replaced. */
export async function noteDamage(
  db: Executor,
  damage: DamagedContent & { readonly content?: Uint8Array },
): Promise<void> {
  const values = {
    kind: damage.kind,
    found_at_ms: damage.foundAtMs,
    quarantined_as: damage.quarantinedAs ?? null,
    content: damage.content ?? null,
  };
  await db
    .insertInto('damaged_content')
    .values({ digest: damage.digest, ...values })
    .onConflict((conflict) => conflict.column('digest').doUpdateSet(values))
    .execute();
}

/** Forgets damage: the content was pushed again and is sound. */
export async function forgetDamage(db: Executor, digests: readonly string[]): Promise<void> {
  if (digests.length === 0) return;
  await db
    .deleteFrom('damaged_content')
    .where('digest', 'in', [...digests])
    .execute();
}

/** Damage that was found and not made good since, the latest first. */
export async function listDamage(
  db: Executor,
  page: { readonly offset: number; readonly limit: number },
): Promise<{ readonly items: readonly DamagedContent[]; readonly total: number }> {
  const { count } = await db
    .selectFrom('damaged_content')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  const rows = await db
    .selectFrom('damaged_content')
    .select(['digest', 'kind', 'found_at_ms', 'quarantined_as'])
    .orderBy('found_at_ms', 'desc')
    .orderBy('digest')
    .limit(page.limit)
    .offset(page.offset)
    .execute();
  const items = rows.map((row) => ({
    digest: row.digest,
    kind: row.kind,
    foundAtMs: Number(row.found_at_ms),
    quarantinedAs: row.quarantined_as ?? undefined,
  }));
  return { items, total: Number(count) };
}

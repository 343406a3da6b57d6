import { type Database, rewriteColumn } from '@vic/sql';
import { AUTH_HEADER, SIGNING_SECRET } from './webhook-policies.ts';
import type { WebhookTarget } from './webhook-policy.ts';

/** Seals the secrets of webhooks again that `reseal` gives another form for; says how many. */
export async function resealWebhookSecrets(
  { db }: Pick<Database, 'db'>,
  reseal: (sealed: string, context: string) => string | undefined,
): Promise<number> {
  const signing = { table: 'webhook_policies', key: 'id', column: 'signing_secret' } as const;
  const targets = { table: 'webhook_policies', key: 'id', column: 'targets' } as const;
  const signed = await rewriteColumn(db, signing, (sealed) => reseal(sealed, SIGNING_SECRET));
  return signed + (await rewriteColumn(db, targets, (json) => resealTargets(json, reseal)));
}

function resealTargets(
  json: string,
  reseal: (sealed: string, context: string) => string | undefined,
): string | undefined {
  let changed = false;
  const targets = (JSON.parse(json) as WebhookTarget[]).map((target) => {
    const { sealedAuthHeader: sealed } = target;
    const next = sealed === undefined ? undefined : reseal(sealed, AUTH_HEADER);
    changed ||= next !== undefined;
    return next === undefined ? target : { ...target, sealedAuthHeader: next };
  });
  return changed ? JSON.stringify(targets) : undefined;
}

import { resealSignIns } from '@vic/identity';
import { resealNotaryKeys } from '@vic/notary';
import { resealEndpointSecrets } from '@vic/replication';
import { resealScannerCredentials } from '@vic/scanning';
import { resealSettings } from '@vic/settings';
import type { Database } from '@vic/sql';
import { resealTokenKeys } from '@vic/tokens';
import { resealWebhookSecrets } from '@vic/webhooks';

/** Gives a sealed secret another form; `undefined` for one that stays. */
export type Reseal = (sealed: string, context: string) => string | undefined;

/** Everything that is sealed in the database, by those who own the tables. */
const OWNERS: readonly ((database: Pick<Database, 'db'>, reseal: Reseal) => Promise<number>)[] = [
  resealTokenKeys,
  resealNotaryKeys,
  resealSettings,
  resealEndpointSecrets,
  resealWebhookSecrets,
  resealScannerCredentials,
  resealSignIns,
];

/** Replaces every secret in the database that `reseal` gives another form for; says how many. */
export async function resealSecrets(
  database: Pick<Database, 'db'>,
  reseal: Reseal,
  signal: AbortSignal,
): Promise<number> {
  let count = 0;
  for (const owner of OWNERS) {
    signal.throwIfAborted();
    count += await owner(database, reseal);
  }
  return count;
}

import { createHash } from 'node:crypto';
import type { Executor } from '@vic/sql';
import type { AccountReference } from './token-identity.ts';

/**
 * Changes whenever the account's password, CLI secret or robot secret does; `undefined` when there is no account.
 *
 * A password kept by a directory leaves no trace here: its refresh tokens end with the account, or with time.
 */
export async function credentialMark(executor: Executor, { kind, id }: AccountReference): Promise<string | undefined> {
  if (kind === 'robot') {
    const robot = await executor.selectFrom('robots').select('secret_hash').where('id', '=', id).executeTakeFirst();
    return robot === undefined ? undefined : digest([robot.secret_hash]);
  }
  const user = await executor
    .selectFrom('users')
    .select(['password_hash', 'cli_secret_hash'])
    .where('id', '=', id)
    .executeTakeFirst();
  return user === undefined ? undefined : digest([user.password_hash, user.cli_secret_hash]);
}

function digest(hashes: readonly (string | null)[]): string {
  return createHash('sha256').update(JSON.stringify(hashes)).digest('hex');
}

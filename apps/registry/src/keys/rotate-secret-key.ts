import { delay } from '@vic/async';
import { isVicError } from '@vic/errors';
import { KeyRotation, SecretBox } from '@vic/secrets';
import type { Database } from '@vic/sql';
import { type Reseal, resealSecrets } from './sealed-secrets.ts';

/** What is rotated, and how far. */
export interface SecretRotation {
  readonly keyFile: string;
  readonly database: Pick<Database, 'db'>;
  /** `prepare`: only make the next key. `seal`: seal with it and keep the one before. `finish`: and forget that. */
  readonly upTo: 'prepare' | 'seal' | 'finish';
  readonly signal: AbortSignal;
  /** How long others may take to commit what they have sealed with the key before. 5 s. */
  readonly settleMs?: number;
}

/** What a rotation did. */
export interface SecretRotationReport {
  readonly resealed: number;
  /** What no key opens: it was lost before. */
  readonly unreadable: readonly string[];
}

/**
 * Replaces the key that encrypts the secrets in the database, beside processes that use them: those that share the
 * key file follow it. Cut off at any point, it is ended by the next run.
 */
export async function rotateSecretKey(rotation: SecretRotation): Promise<SecretRotationReport> {
  const { keyFile, upTo, database, signal, settleMs = 5_000 } = rotation;
  await using steps = await KeyRotation.begin(keyFile);
  if (upTo === 'prepare') {
    await steps.prepare();
    return { resealed: 0, unreadable: [] };
  }
  await steps.promote();
  const box = await SecretBox.open(keyFile);
  const unreadable = new Set<string>();
  const reseal: Reseal = (sealed, context) => {
    try {
      return box.reseal(sealed, context);
    } catch (error) {
      if (!isVicError(error, { code: 'SECRET_UNREADABLE' })) throw error;
      unreadable.add(context);
      return undefined;
    }
  };
  let resealed = 0;
  // What another process sealed with the key before, and had not committed, is found by a later pass.
  for (let found = -1; found !== 0;) {
    if (found !== -1) await delay(settleMs, signal);
    found = await resealSecrets(database, reseal, signal);
    resealed += found;
  }
  if (upTo === 'finish') {
    await delay(settleMs, signal);
    resealed += await resealSecrets(database, reseal, signal);
    await steps.forget();
  }
  return { resealed, unreadable: [...unreadable] };
}

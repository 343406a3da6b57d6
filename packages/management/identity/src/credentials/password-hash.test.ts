import { describe, expect, it } from 'vitest';
import { PasswordHasher } from './password-hash.ts';

/** As many as run, and as many as may wait. */
const ADMITTED = 2 + 60;

describe('PasswordHasher', () => {
  it('takes strangers again after a time when there was no room for the first of them', async () => {
    const hasher = new PasswordHasher({ memoryKiB: 8, passes: 1, parallelism: 1 });
    const crowd = Array.from({ length: ADMITTED }, async () => hasher.hashChosen('Secret123'));
    await expect(hasher.verifyNothing('Wrong1234', '192.0.2.1')).rejects.toMatchObject({ code: 'IDENTITY_BUSY' });
    await Promise.all(crowd);
    await expect(hasher.verifyNothing('Wrong1234', '192.0.2.1')).resolves.toBeUndefined();
  });
});

import { VicError } from '@vic/errors';
import { expect, it } from 'vitest';
import { type Effect, retryWhileAway } from './retry-while-away.ts';

async function attemptsOf(effect: Effect, code: string): Promise<number> {
  let attempts = 0;
  const operation = async (): Promise<void> => {
    if (++attempts < 3) throw new VicError({ class: 'Unavailable', code, message: 'away' });
  };
  const host = { server: 'https://host', effect, absenceMs: 60_000 };
  await retryWhileAway(host, operation, undefined).catch(() => undefined);
  return attempts;
}

it.each([
  ['read', 'HTTP_REFUSED', 3],
  ['read', 'HTTP_CONNECTION_LOST', 3],
  ['change', 'HTTP_REFUSED', 3],
  // It may have been done.
  ['change', 'HTTP_CONNECTION_LOST', 1],
  ['read', 'HTTP_UNKNOWN_AUTHORITY', 1],
] as const)('a %s that failed by %s is tried %i times', async (effect, code, attempts) => {
  expect(await attemptsOf(effect, code)).toBe(attempts);
});

it('says that the answer to a change was lost', async () => {
  const operation = async (): Promise<never> => {
    throw new VicError({ class: 'Unavailable', code: 'HTTP_CONNECTION_LOST', message: 'connection reset by peer' });
  };
  const host = { server: 'https://host', effect: 'change', absenceMs: 60_000 } as const;
  await expect(retryWhileAway(host, operation, undefined)).rejects.toMatchObject({
    class: 'Unavailable',
    code: 'VIM_ANSWER_LOST',
    message: expect.stringMatching(/^The vSphere API at https:\/\/host went away before it answered/),
  });
});

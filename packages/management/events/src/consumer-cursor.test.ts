import { setTimeout as sleep } from 'node:timers/promises';
import { interleaved, temporaryDatabase } from '@vic/sql/testing';
import { expect, it, vi } from 'vitest';
import { ConsumerCursor } from './consumer-cursor.ts';

it('a consumer is not set back by a lease that was being prolonged when it ended', async () => {
  await using database = await temporaryDatabase();
  const prolonged = Promise.withResolvers<void>();
  const mayAnswer = Promise.withResolvers<void>();
  let isHeld = false;
  const { db } = interleaved(database, { kind: 'update', table: 'event_consumer' }, async () => {
    if (!isHeld) return;
    isHeld = false;
    prolonged.resolve();
    await mayAnswer.promise;
  });
  const cursor = new ConsumerCursor(db, 'c', 'me');
  await cursor.register();
  await cursor.acquire();
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  try {
    const consume = async (): Promise<void> => {
      isHeld = true;
      vi.advanceTimersByTime(10_000);
      await prolonged.promise;
    };
    const advanced = cursor.holding(new AbortController().signal, consume).then(async () => cursor.advance(7));
    await Promise.race([advanced, sleep(100)]);
    mayAnswer.resolve();
    await advanced;
    await sleep(0);
    expect(await cursor.acquire()).toBe(7);
  } finally {
    vi.useRealTimers();
  }
});

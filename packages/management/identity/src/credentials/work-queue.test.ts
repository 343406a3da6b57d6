import { describe, expect, it } from 'vitest';
import { WorkQueue } from './work-queue.ts';

describe('WorkQueue', () => {
  const busy = { class: 'RateLimited', code: 'IDENTITY_BUSY' };

  it('runs in order, so many at a time, and refuses what finds no room', async () => {
    const queue = new WorkQueue({ running: 1, waiting: 2, waitingFromOne: 2 });
    const order: number[] = [];
    const gate = Promise.withResolvers<void>();
    const add = async (n: number): Promise<void> =>
      queue.run(undefined, async () => {
        await gate.promise;
        order.push(n);
      });
    const admitted = [add(1), add(2), add(3)];
    await expect(add(4)).rejects.toMatchObject(busy);
    gate.resolve();
    await Promise.all(admitted);
    expect(order).toEqual([1, 2, 3]);
    await add(5);
    expect(order).toEqual([1, 2, 3, 5]);
  });

  it('leaves room for other places', async () => {
    const queue = new WorkQueue({ running: 1, waiting: 10, waitingFromOne: 1 });
    const gate = Promise.withResolvers<void>();
    const add = async (from: string): Promise<void> => queue.run(from, async () => gate.promise);
    const admitted = [add('a'), add('a')];
    await expect(add('a')).rejects.toMatchObject(busy);
    admitted.push(add('b'));
    gate.resolve();
    await Promise.all(admitted);
  });

  it('goes on after a failure', async () => {
    const queue = new WorkQueue({ running: 1, waiting: 1, waitingFromOne: 1 });
    const failing = queue.run('a', async () => Promise.reject(new Error('no')));
    const next = queue.run('a', async () => 'yes');
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe('yes');
  });
});

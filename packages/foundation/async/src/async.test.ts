import { describe, expect, it } from 'vitest';
import {
  AsyncQueue,
  Broadcast,
  KeyedMutex,
  Mutex,
  SingleFlight,
  delay,
  mapLimit,
  pollUntil,
  retry,
  withDeadline,
} from './index.ts';

describe('withDeadline()', () => {
  it('gives the result of an operation that is in time', async () => {
    expect(await withDeadline('a number', 1000, async () => 7)).toBe(7);
  });
  it('rejects with DeadlineExceeded and aborts the operation', async () => {
    let aborted = false;
    const late = withDeadline('the late one', 5, async (signal) => {
      signal.addEventListener('abort', () => (aborted = true));
      await delay(60_000, signal);
    });
    await expect(late).rejects.toMatchObject({
      class: 'DeadlineExceeded',
      message: expect.stringContaining('the late one') as string,
    });
    expect(aborted).toBe(true);
  });
  it('rejects with the reason of the outer signal', async () => {
    await expect(
      withDeadline('x', 60_000, async (s) => delay(60_000, s), AbortSignal.abort(new Error('stop'))),
    ).rejects.toThrow('stop');
  });
});

describe('retry()', () => {
  const options = { attempts: 3, initialDelayMs: 1, maxDelayMs: 2, retryIf: () => true };
  it('tries again until it succeeds', async () => {
    expect(await retry(async (attempt) => (attempt < 3 ? Promise.reject(new Error('no')) : attempt), options)).toBe(3);
  });
  it('throws the last error when the attempts are used up, and at once when not worth retrying', async () => {
    await expect(retry(async (attempt) => Promise.reject(new Error(`no ${attempt}`)), options)).rejects.toThrow('no 3');
    await expect(
      retry(async (attempt) => Promise.reject(new Error(`no ${attempt}`)), { ...options, retryIf: () => false }),
    ).rejects.toThrow('no 1');
  });
  it('pollUntil() gives the first found value', async () => {
    let calls = 0;
    expect(await pollUntil(() => (++calls < 3 ? undefined : calls), 1, AbortSignal.timeout(60_000))).toBe(3);
  });
});

describe('mapLimit()', () => {
  it('keeps order and never exceeds the limit', async () => {
    let running = 0;
    let most = 0;
    const doubled = await mapLimit([5, 1, 3, 2], 2, async (n) => {
      most = Math.max(most, ++running);
      await delay(n);
      running--;
      return n * 2;
    });
    expect(doubled).toEqual([10, 2, 6, 4]);
    expect(most).toBe(2);
  });
  it('throws the first failure', async () => {
    await expect(mapLimit([1, 2], 1, async () => Promise.reject(new Error('first')))).rejects.toThrow('first');
  });
});

describe('Mutex', () => {
  it('runs operations one after another, failures included', async () => {
    const mutex = new Mutex();
    const order: number[] = [];
    const first = mutex.run(async () => {
      await delay(5);
      order.push(1);
      throw new Error('first');
    });
    const second = mutex.run(async () => void order.push(2));
    await expect(first).rejects.toThrow('first');
    await second;
    expect(order).toEqual([1, 2]);
  });
  it('KeyedMutex lets different keys run together', async () => {
    const mutex = new KeyedMutex();
    const order: string[] = [];
    await Promise.all([
      mutex.run('a', async () => {
        await delay(10);
        order.push('a');
      }),
      mutex.run('b', async () => void order.push('b')),
    ]);
    expect(order).toEqual(['b', 'a']);
  });
  it('SingleFlight shares a run', async () => {
    const flights = new SingleFlight<number>();
    let runs = 0;
    const fly = async (): Promise<number> => {
      await delay(2);
      return ++runs;
    };
    expect(await Promise.all([flights.run('k', fly), flights.run('k', fly)])).toEqual([1, 1]);
    expect(await flights.run('k', fly)).toBe(2);
  });
});

describe('AsyncQueue and Broadcast', () => {
  it('delivers in order and drops the oldest past the limit', async () => {
    const queue = new AsyncQueue<number>(2);
    for (const n of [1, 2, 3]) queue.push(n);
    queue.close();
    expect(await Array.fromAsync(queue)).toEqual([2, 3]);
    expect(queue.dropped).toBe(1);
  });
  it('ends a subscription with its signal', async () => {
    const broadcast = new Broadcast<string>();
    const controller = new AbortController();
    const subscription = broadcast.subscribe(controller.signal);
    broadcast.publish('one');
    controller.abort();
    broadcast.publish('two');
    expect(await Array.fromAsync(subscription)).toEqual(['one']);
  });
});

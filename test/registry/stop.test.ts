import { once } from 'node:events';
import { connect } from 'node:net';
import { pollUntil } from '@vic/async';
import { identifyProcess, isAlive } from '@vic/process';
import { temporaryDirectory } from '@vic/testkit';
import { expect, it } from 'vitest';
import { startOurs } from '../perf/registry-servers.ts';

/** Less than the shortest grace, 5 s. */
const AT_ONCE_MS = 4_500;
/** What waits for a grace does so every time; a machine is not busy every time. */
const ATTEMPTS = 3;

it('SIGTERM ends an idle registry at once, although clients keep connections to it', { timeout: 300_000 }, async () => {
  await using directory = await temporaryDirectory();
  let fastestMs = Infinity;
  for (let attempt = 0; attempt < ATTEMPTS && fastestMs >= AT_ONCE_MS; attempt++) {
    fastestMs = Math.min(fastestMs, await timeStop(directory.path));
  }
  expect(fastestMs).toBeLessThan(AT_ONCE_MS);
});

async function timeStop(directory: string): Promise<number> {
  await using server = await startOurs(directory);
  expect(await (await fetch(`${server.url}/api/v2.0/ping`)).text()).toBe('Pong');
  const silent = connect(Number(new URL(server.url).port), '127.0.0.1').on('error', () => undefined);
  try {
    await once(silent, 'connect');
    const identity = await identifyProcess(server.pid);
    if (identity === undefined) throw new Error('the registry has not started');
    const startedAt = performance.now();
    process.kill(server.pid, 'SIGTERM');
    const ended = async (): Promise<true | undefined> => ((await isAlive(identity)) ? undefined : true);
    await pollUntil(ended, 20, AbortSignal.timeout(60_000));
    return performance.now() - startedAt;
  } finally {
    silent.destroy();
  }
}

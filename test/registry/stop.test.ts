import { once } from 'node:events';
import { connect } from 'node:net';
import { pollUntil } from '@vic/async';
import { identifyProcess, isAlive } from '@vic/process';
import { temporaryDirectory } from '@vic/testkit';
import { expect, it } from 'vitest';
import { startOurs } from '../perf/registry-servers.ts';

/** Half of the shortest grace: what waits for one is noticed, a slow machine is not. */
const AT_ONCE_MS = 2_500;

it('SIGTERM ends an idle registry at once, although clients keep connections to it', async () => {
  await using directory = await temporaryDirectory();
  await using server = await startOurs(directory.path);
  expect(await (await fetch(`${server.url}/api/v2.0/ping`)).text()).toBe('Pong');
  const silent = connect(Number(new URL(server.url).port), '127.0.0.1').on('error', () => undefined);
  await once(silent, 'connect');
  const identity = await identifyProcess(server.pid);
  if (identity === undefined) throw new Error('the registry has not started');
  const startedAt = performance.now();
  process.kill(server.pid, 'SIGTERM');
  const ended = async (): Promise<true | undefined> => ((await isAlive(identity)) ? undefined : true);
  await pollUntil(ended, 20, AbortSignal.timeout(30_000));
  expect(performance.now() - startedAt).toBeLessThan(AT_ONCE_MS);
  silent.destroy();
});

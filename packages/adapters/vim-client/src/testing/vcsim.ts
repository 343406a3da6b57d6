import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '@vic/testkit';
import type { VimServerUnderTest } from './server-under-test.ts';

/** Where `tools/install-peers.ts` puts the peers. */
export const PEERS = join(import.meta.dirname, '../../../../../build/peers/bin');

/** Starts govmomi's simulator of a lone host on loopback. */
export async function startVcsim(): Promise<VimServerUnderTest> {
  const address = `127.0.0.1:${await freePort()}`;
  const [user, password] = ['suite', 'a password only for tests'];
  const args = ['-esx', '-l', address, '-username', user, '-password', password];
  const vcsim = spawn(join(PEERS, 'vcsim'), args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const exited = new Promise<void>((resolve) => vcsim.once('exit', () => resolve()));
  const lines = createInterface({ input: vcsim.stdout });
  const started = await Promise.race([
    new Promise<boolean>((resolve) => lines.once('line', () => resolve(true))),
    exited,
  ]);
  if (started !== true) throw new Error('vcsim ended before it listened');
  return {
    url: `https://${address}`,
    user,
    password,
    [Symbol.asyncDispose]: async () => {
      vcsim.kill('SIGTERM');
      await exited;
    },
  };
}

import { createServer } from 'node:net';
import { delay, withDeadline } from '@vic/async';
import { VicError } from '@vic/errors';

/**
 * Runs `operation` while no other process on this network namespace does the same.
 *
 * The lock is an abstract unix socket: the kernel drops it with the process, so a crash leaves none behind.
 */
export async function exclusively<T>(name: string, operation: () => Promise<T>): Promise<T> {
  const server = createServer();
  await withDeadline('another host that is setting up its network', 30_000, async (signal) => {
    while (!(await tryListen(server, `\0vic:${name}`))) await delay(50, signal);
  });
  try {
    return await operation();
  } finally {
    const { promise, resolve } = Promise.withResolvers<void>();
    server.close(() => resolve());
    await promise;
  }
}

async function tryListen(server: ReturnType<typeof createServer>, path: string): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const onError = (error: NodeJS.ErrnoException): void => {
    if (error.code === 'EADDRINUSE') resolve(false);
    else reject(new VicError({ class: 'Internal', code: 'SWITCH_LOCK_FAILED', message: error.message, cause: error }));
  };
  server.once('error', onError);
  server.listen(path, () => resolve(true));
  try {
    return await promise;
  } finally {
    server.off('error', onError);
  }
}

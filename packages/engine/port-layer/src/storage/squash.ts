import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { VicError } from '@vic/errors';

/** Small pieces are joined up to this size before they are written to the pipe. */
const WRITE_BYTES = 128 * 1024;
const MAX_MESSAGE_BYTES = 4096;

/**
 * Makes a squashfs file of a tar stream with `tar2sqfs`.
 *
 * The source is always read to its end, even when `tar2sqfs` gives up before: its own error, which says more,
 * comes first.
 */
export async function squash(
  tar: AsyncIterable<Uint8Array>,
  outputPath: string,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<void> {
  options.signal.throwIfAborted();
  // lz4: layers are read far more often than written, by guests whose processor may be emulated.
  const child = spawn(
    'tar2sqfs',
    ['--quiet', '--no-skip', '--force', '--compressor', 'lz4', '--num-jobs', '2', outputPath],
    {
      stdio: ['pipe', 'ignore', 'pipe'],
    },
  );
  const stop = (): void => void child.kill('SIGKILL');
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const stopped = AbortSignal.any([options.signal, deadline]);
  stopped.addEventListener('abort', stop, { once: true });
  let message = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (message.length < MAX_MESSAGE_BYTES) message += chunk.toString('utf8');
  });
  child.stdin.on('error', () => undefined);
  const ended = exitOf(child);
  ended.catch(() => undefined);
  try {
    await feed(tar, child, stopped);
    child.stdin.end();
    const code = await ended;
    options.signal.throwIfAborted();
    if (code !== 0)
      throw squashError(deadline.aborted ? 'it did not finish in time' : message.trim() || `exit code ${code}`);
  } finally {
    stopped.removeEventListener('abort', stop);
    stop();
    await ended.catch(() => undefined);
  }
}

async function feed(tar: AsyncIterable<Uint8Array>, child: ChildProcess, stopped: AbortSignal): Promise<void> {
  let pending: Uint8Array[] = [];
  let size = 0;
  const write = async (): Promise<void> => {
    stopped.throwIfAborted();
    const bytes = Buffer.concat(pending);
    pending = [];
    size = 0;
    const pipe = child.stdin;
    if (pipe === null || pipe.destroyed || pipe.write(bytes)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    pipe.once('drain', resolve);
    pipe.once('close', resolve);
    await promise;
    pipe.off('drain', resolve);
    pipe.off('close', resolve);
  };
  for await (const chunk of tar) {
    pending.push(chunk);
    size += chunk.length;
    if (size >= WRITE_BYTES) await write();
  }
  await write();
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return code;
  } catch (cause) {
    throw new VicError({
      class: 'Unavailable',
      code: 'STORAGE_NO_TAR2SQFS',
      message: `Cannot start tar2sqfs: ${cause instanceof Error ? cause.message : String(cause)}.`,
      remedy: 'Install squashfs-tools-ng.',
      cause,
    });
  }
}

function squashError(reason: string): VicError {
  return new VicError({
    class: 'Internal',
    code: 'STORAGE_SQUASH_FAILED',
    message: `failed to register layer: tar2sqfs failed: ${reason}`,
  });
}

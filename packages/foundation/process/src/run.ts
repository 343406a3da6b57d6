import { spawn } from 'node:child_process';
import { VicError } from '@vic/errors';

/** Options of {@link run}. */
export interface RunOptions {
  /** Killed with SIGKILL after this long. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Text or bytes written to standard input. */
  readonly input?: string | Uint8Array;
  /** Exit codes that are not failures; `[0]` by default. */
  readonly okCodes?: readonly number[];
}

/** What a finished process left behind. */
export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How much of each output stream is kept; tools that print more are used with streams, not with {@link run}. */
const MAX_OUTPUT_BYTES = 8 * 1024 * 1024;

/**
 * Runs a program to its end and gives its output.
 *
 * Never through a shell. Throws `Unavailable` when the program is missing, `Internal` with the tail of its
 * standard error when it fails, and the signal's reason or `DeadlineExceeded` when it is stopped.
 */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  options.signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<RunResult>();
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  let stopReason: unknown;
  const stop = (reason: unknown): void => {
    stopReason ??= reason;
    child.kill('SIGKILL');
    // What the program has started may hold its output open for as long as it likes.
    for (const stream of child.stdio) stream?.destroy();
  };
  const timeoutMs = options.timeoutMs ?? 60_000;
  const timer = setTimeout(() => stop(timedOut(program, timeoutMs)), timeoutMs);
  const onAbort = (): void => stop(options.signal?.reason);
  options.signal?.addEventListener('abort', onAbort, { once: true });
  child.on('error', (error) => reject(missing(program, error)));
  child.on('close', (code, signalName) => {
    if (stopReason !== undefined) reject(stopReason);
    else if (code !== null && (options.okCodes ?? [0]).includes(code)) {
      resolve({ code, stdout: stdout(), stderr: stderr() });
    } else reject(failed(program, args, code ?? signalName, stderr() || stdout()));
  });
  // A program may exit without reading its input.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', onAbort);
  }
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MAX_OUTPUT_BYTES) chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

function missing(program: string, cause: Error): VicError {
  return new VicError({
    class: 'Unavailable',
    code: 'PROCESS_NOT_STARTED',
    message: `Cannot start ${program}: ${cause.message}.`,
    remedy: 'Install it, or make sure that the PATH leads to it.',
    cause,
  });
}

function timedOut(program: string, timeoutMs: number): VicError {
  return new VicError({
    class: 'DeadlineExceeded',
    code: 'PROCESS_TIMED_OUT',
    message: `${program} did not finish within ${timeoutMs} ms and was killed.`,
  });
}

function failed(program: string, args: readonly string[], code: unknown, output: string): VicError {
  const verb = args.find((arg) => !arg.startsWith('-')) ?? '';
  return new VicError({
    class: 'Internal',
    code: 'PROCESS_FAILED',
    message: `${program} ${verb} failed (${String(code)}): ${output.trim().slice(-2000)}`,
  });
}

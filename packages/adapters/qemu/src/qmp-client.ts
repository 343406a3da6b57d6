import { createConnection } from 'node:net';
import type { Socket } from 'node:net';
import { VicError, isVicError } from '@vic/errors';
import { delay, withDeadline } from '@vic/async';
import { qmpError } from './qmp-error.ts';

/** Something QEMU reports by itself. */
export interface QmpEvent {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Limits of one wait. */
export interface QmpWait {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** QEMU may have been taken over by its guest: a line longer than this ends the connection. */
const MAX_LINE_BYTES = 4 * 1024 * 1024;
const DEFAULT_TIMEOUT_MS = 10_000;
/** QEMU makes its socket a few milliseconds after it was started. */
const CONNECT_INTERVAL_MS = 3;

interface Pending {
  readonly command: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** A connection to QEMU's machine protocol: commands one after another, events as they come. */
export class QmpClient {
  readonly #socket: Socket;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Set<(event: QmpEvent) => void>();
  readonly #closed = Promise.withResolvers<void>();
  readonly #greeted = Promise.withResolvers<void>();
  #chunks: Buffer[] = [];
  #chunkBytes = 0;
  #nextId = 1;
  #isClosed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#greeted.promise.catch(() => undefined);
    socket.on('data', (chunk) => this.#onData(typeof chunk === 'string' ? Buffer.from(chunk) : chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => this.#onClose());
  }

  /** Connects to a socket that may appear yet, and negotiates. */
  static async connect(path: string, wait: QmpWait = {}): Promise<QmpClient> {
    const timeoutMs = wait.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    return withDeadline(
      'QEMU to answer',
      timeoutMs,
      async (signal) => {
        const client = new QmpClient(await connectSocket(path, signal));
        try {
          await Promise.race([client.#greeted.promise, rejectOn(signal)]);
          await client.execute('qmp_capabilities', {}, { signal });
          return client;
        } catch (error) {
          client.close();
          throw error;
        }
      },
      wait.signal,
    );
  }

  /** Resolves when the connection is gone, for whatever reason. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Runs one command and gives what it returned. */
  async execute(command: string, args: Readonly<Record<string, unknown>> = {}, wait: QmpWait = {}): Promise<unknown> {
    if (this.#isClosed) throw gone(command);
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#pending.set(id, { command, resolve, reject });
    this.#socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    try {
      return await withDeadline(
        `QEMU's answer to ${command}`,
        wait.timeoutMs ?? DEFAULT_TIMEOUT_MS,
        async () => promise,
        wait.signal,
      );
    } finally {
      this.#pending.delete(id);
    }
  }

  /** Calls `listener` for every event until the returned function is called. */
  onEvent(listener: (event: QmpEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Runs `trigger` and waits for the first event that `matches` accepts, even one that comes before its answer. */
  async executeAndAwait(
    trigger: () => Promise<unknown>,
    matches: (event: QmpEvent) => boolean,
    what: string,
    wait: QmpWait = {},
  ): Promise<QmpEvent> {
    const { promise, resolve, reject } = Promise.withResolvers<QmpEvent>();
    const stop = this.onEvent((event) => {
      if (matches(event)) resolve(event);
    });
    void this.#closed.promise.then(() => reject(gone(what)));
    promise.catch(() => undefined);
    try {
      await trigger();
      return await withDeadline(what, wait.timeoutMs ?? DEFAULT_TIMEOUT_MS, async () => promise, wait.signal);
    } finally {
      stop();
    }
  }

  /** Drops the connection; QEMU goes on. */
  close(): void {
    this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    let rest = chunk;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      this.#chunks.push(rest.subarray(0, end));
      rest = rest.subarray(end + 1);
      const line = Buffer.concat(this.#chunks).toString('utf8');
      this.#chunks = [];
      this.#chunkBytes = 0;
      this.#onLine(line);
    }
    if (rest.length > 0) this.#chunks.push(rest);
    this.#chunkBytes += rest.length;
    if (this.#chunkBytes > MAX_LINE_BYTES) this.#socket.destroy();
  }

  #onLine(line: string): void {
    const message = parseObject(line);
    if (message === undefined) {
      this.#socket.destroy();
    } else if ('QMP' in message) {
      this.#greeted.resolve();
    } else if (typeof message['event'] === 'string') {
      const data = isRecord(message['data']) ? message['data'] : {};
      for (const listener of this.#listeners) listener({ name: message['event'], data });
    } else if (typeof message['id'] === 'number') {
      const pending = this.#pending.get(message['id']);
      if ('error' in message) pending?.reject(qmpError(pending.command, message['error']));
      else pending?.resolve(message['return']);
    }
  }

  #onClose(): void {
    this.#isClosed = true;
    this.#greeted.reject(gone('the greeting'));
    for (const pending of this.#pending.values()) pending.reject(gone(pending.command));
    this.#pending.clear();
    this.#closed.resolve();
  }
}

async function connectSocket(path: string, signal: AbortSignal): Promise<Socket> {
  for (;;) {
    try {
      return await connectOnce(path);
    } catch (error) {
      if (!isVicError(error, { code: 'QMP_NOT_READY' })) throw error;
      await delay(CONNECT_INTERVAL_MS, signal);
    }
  }
}

async function connectOnce(path: string): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = createConnection(path);
  const fail = (cause: NodeJS.ErrnoException): void => {
    const early = cause.code === 'ENOENT' || cause.code === 'ECONNREFUSED';
    reject(
      new VicError({
        class: 'Unavailable',
        code: early ? 'QMP_NOT_READY' : 'QMP_UNREACHABLE',
        message: `Cannot connect to QEMU: ${cause.message}.`,
        cause,
      }),
    );
  };
  socket.once('error', fail);
  socket.once('connect', () => {
    socket.off('error', fail);
    resolve(socket);
  });
  return promise;
}

async function rejectOn(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  if (signal.aborted) reject(signal.reason);
  else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  return promise;
}

function gone(what: string): VicError {
  return new VicError({
    class: 'Unavailable',
    code: 'QMP_CLOSED',
    message: `QEMU ended, or closed its control connection, before it answered (${what}).`,
  });
}

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

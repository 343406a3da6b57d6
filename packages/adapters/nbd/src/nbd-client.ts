import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { Mutex, withDeadline } from '@vic/async';
import { VicError } from '@vic/errors';
import { ByteReader } from './byte-reader.ts';
import { negotiate, protocolError } from './handshake.ts';
import type { Export } from './handshake.ts';

/** Options of {@link NbdClient.connect}. */
export interface NbdConnectOptions {
  /** Export to open; the default one when absent. */
  readonly exportName?: string;
  readonly signal?: AbortSignal;
  /** For the connection and the negotiation. */
  readonly connectTimeoutMs?: number;
  /** For each request. */
  readonly requestTimeoutMs?: number;
}

const REQUEST_MAGIC = 0x25609513;
const REPLY_MAGIC = 0x67446698;
const COMMANDS = { read: 0, write: 1, disconnect: 2, flush: 3, trim: 4, zero: 6 } as const;
const FLAG_READ_ONLY = 1 << 1;
const FLAG_SEND_FLUSH = 1 << 2;
const FLAG_SEND_TRIM = 1 << 5;
const FLAG_SEND_ZEROES = 1 << 6;
/** Large enough to keep the disk busy; every server accepts 32 MiB. */
const MAX_TRANSFER_BYTES = 2 * 1024 * 1024;
/** `zero` and `trim` carry no data: their length field is the limit, kept to whole sectors. */
const MAX_RANGE_BYTES = 2 ** 31;
const ERRORS: Readonly<Record<number, string>> = {
  1: 'operation not permitted',
  5: 'input/output error',
  12: 'out of memory',
  22: 'invalid argument',
  28: 'no space left on the datastore',
  75: 'value too large',
  95: 'operation not supported',
  108: 'the server is shutting down',
};

/** A disk behind an NBD server on a Unix socket. One request is under way at a time, in order. */
export class NbdClient implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #reader: ByteReader;
  readonly #export: Export;
  readonly #requestTimeoutMs: number;
  readonly #order = new Mutex();
  #cookie = 0n;
  #failure: unknown;

  /** Connects to the server listening on `socketPath`. */
  static async connect(socketPath: string, options: NbdConnectOptions = {}): Promise<NbdClient> {
    options.signal?.throwIfAborted();
    const socket = connect(socketPath);
    const reader = new ByteReader(socket);
    try {
      const found = await withDeadline(
        'the NBD server',
        options.connectTimeoutMs ?? 30_000,
        async () => negotiate(socket, reader, options.exportName ?? ''),
        options.signal,
      );
      return new NbdClient(socket, reader, found, options.requestTimeoutMs ?? 120_000);
    } catch (error) {
      socket.destroy();
      throw brokenConnection(error);
    }
  }

  private constructor(socket: Socket, reader: ByteReader, found: Export, requestTimeoutMs: number) {
    this.#socket = socket;
    this.#reader = reader;
    this.#export = found;
    this.#requestTimeoutMs = requestTimeoutMs;
  }

  /** Size of the disk. */
  get sizeBytes(): number {
    return this.#export.sizeBytes;
  }

  /** Whether the server refuses writes. */
  get readOnly(): boolean {
    return (this.#export.flags & FLAG_READ_ONLY) !== 0;
  }

  /** Reads `length` bytes from `offset`. */
  async read(offset: number, length: number, signal?: AbortSignal): Promise<Buffer> {
    this.#checkRange(offset, length);
    const pieces: Buffer[] = [];
    for (let done = 0; done < length; done += MAX_TRANSFER_BYTES) {
      const size = Math.min(MAX_TRANSFER_BYTES, length - done);
      pieces.push(await this.#request('read', offset + done, size, undefined, signal));
    }
    return Buffer.concat(pieces);
  }

  /** Writes bytes at `offset`. */
  async write(offset: number, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    this.#checkRange(offset, bytes.length);
    for (let done = 0; done < bytes.length; done += MAX_TRANSFER_BYTES) {
      const piece = bytes.subarray(done, done + MAX_TRANSFER_BYTES);
      await this.#request('write', offset + done, piece.length, piece, signal);
    }
  }

  /** Writes a stream from `offset` on and gives its length; memory stays within one transfer. */
  async writeStream(offset: number, source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<number> {
    let written = 0;
    let pending: Uint8Array[] = [];
    let pendingBytes = 0;
    const writePending = async (): Promise<void> => {
      await this.write(offset + written, Buffer.concat(pending), signal);
      written += pendingBytes;
      pending = [];
      pendingBytes = 0;
    };
    for await (const chunk of source) {
      pending.push(chunk);
      pendingBytes += chunk.length;
      if (pendingBytes >= MAX_TRANSFER_BYTES) await writePending();
    }
    if (pendingBytes > 0) await writePending();
    return written;
  }

  /** Makes a range read as zeros, without allocating it where the server can. */
  async zero(offset: number, length: number, signal?: AbortSignal): Promise<void> {
    await this.#range('zero', FLAG_SEND_ZEROES, offset, length, signal);
  }

  /** Says that a range is no longer needed; what it then reads is undefined. */
  async trim(offset: number, length: number, signal?: AbortSignal): Promise<void> {
    await this.#range('trim', FLAG_SEND_TRIM, offset, length, signal);
  }

  /** Resolves when all completed writes are on stable storage. */
  async flush(signal?: AbortSignal): Promise<void> {
    if ((this.#export.flags & FLAG_SEND_FLUSH) === 0) return;
    await this.#request('flush', 0, 0, undefined, signal);
  }

  /** Says goodbye and closes the connection; writes are not flushed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.destroyed) return;
    await this.#order.run(async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#socket.once('close', () => resolve());
      this.#socket.end(requestHead('disconnect', 0n, 0, 0));
      setTimeout(() => this.#socket.destroy(), 1000).unref();
      this.#socket.resume();
      await promise;
    });
  }

  async #range(
    command: 'zero' | 'trim',
    flag: number,
    offset: number,
    length: number,
    signal?: AbortSignal,
  ): Promise<void> {
    this.#checkRange(offset, length);
    if ((this.#export.flags & flag) === 0) {
      throw new VicError({
        class: 'NotSupported',
        code: 'NBD_NOT_SUPPORTED',
        message: `The NBD server has no ${command}.`,
      });
    }
    for (let done = 0; done < length; done += MAX_RANGE_BYTES) {
      await this.#request(command, offset + done, Math.min(MAX_RANGE_BYTES, length - done), undefined, signal);
    }
  }

  #checkRange(offset: number, length: number): void {
    if (Number.isSafeInteger(offset) && offset >= 0 && length >= 0 && offset + length <= this.sizeBytes) return;
    throw new VicError({
      class: 'InvalidArgument',
      code: 'NBD_OUT_OF_RANGE',
      message: `Bytes ${offset} to ${offset + length} are not on the disk of ${this.sizeBytes} bytes.`,
    });
  }

  async #request(
    command: keyof typeof COMMANDS,
    offset: number,
    length: number,
    data: Uint8Array | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Buffer> {
    return this.#order.run(async () => {
      if (this.#failure !== undefined) throw brokenConnection(this.#failure);
      signal?.throwIfAborted();
      let errorNumber: number;
      let answer: Buffer = Buffer.alloc(0);
      try {
        [errorNumber, answer] = await withDeadline(
          `the NBD server to ${command} ${length} bytes`,
          this.#requestTimeoutMs,
          async () => this.#exchange(command, offset, length, data),
          signal,
        );
      } catch (error) {
        // The connection stands between two messages now: it cannot be used again.
        this.#failure = error;
        this.#socket.destroy();
        throw brokenConnection(error);
      }
      if (errorNumber !== 0) throw refused(command, offset, errorNumber);
      return answer;
    });
  }

  async #exchange(
    command: keyof typeof COMMANDS,
    offset: number,
    length: number,
    data: Uint8Array | undefined,
  ): Promise<[errorNumber: number, answer: Buffer]> {
    const cookie = ++this.#cookie;
    this.#socket.cork();
    this.#socket.write(requestHead(command, cookie, offset, length));
    if (data !== undefined) this.#socket.write(data);
    this.#socket.uncork();
    const reply = await this.#reader.take(16);
    if (reply.readUInt32BE(0) !== REPLY_MAGIC || reply.readBigUInt64BE(8) !== cookie) {
      throw protocolError('its answer is malformed');
    }
    const errorNumber = reply.readUInt32BE(4);
    return [errorNumber, command === 'read' && errorNumber === 0 ? await this.#reader.take(length) : Buffer.alloc(0)];
  }
}

function requestHead(command: keyof typeof COMMANDS, cookie: bigint, offset: number, length: number): Buffer {
  const head = Buffer.alloc(28);
  head.writeUInt32BE(REQUEST_MAGIC, 0);
  head.writeUInt16BE(COMMANDS[command], 6);
  head.writeBigUInt64BE(cookie, 8);
  head.writeBigUInt64BE(BigInt(offset), 16);
  head.writeUInt32BE(length, 24);
  return head;
}

function refused(command: string, offset: number, errorNumber: number): VicError {
  return new VicError({
    class: errorNumber === 28 ? 'ResourceExhausted' : 'Unavailable',
    code: errorNumber === 28 ? 'NBD_NO_SPACE' : 'NBD_REQUEST_FAILED',
    message: `The disk refused to ${command} at byte ${offset}: ${ERRORS[errorNumber] ?? `error ${errorNumber}`}.`,
  });
}

function brokenConnection(error: unknown): unknown {
  if (error instanceof VicError || !(error instanceof Error) || error.name === 'AbortError') return error;
  return new VicError({
    class: 'Unavailable',
    code: 'NBD_CONNECTION_LOST',
    message: `The connection to the disk was lost: ${error.message}.`,
    cause: error,
  });
}

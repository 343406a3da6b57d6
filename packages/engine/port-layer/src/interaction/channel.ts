import { finished } from 'node:stream';
import { FRAME, STREAM, encodeCredit, encodeFrame, streamId } from '@vic/agent-protocol';
import type { StreamKind } from '@vic/agent-protocol';
import { IncomingStream } from './incoming-stream.ts';
import { OutgoingStream } from './outgoing-stream.ts';
import type { AttachOptions, ProcessStreams } from './tether-session.ts';

/** What a channel needs from its connection. */
export interface ChannelLink {
  send(bytes: Uint8Array): void;
  /** The channel's streams were given up. */
  detached(channel: number): void;
}

/** The three streams of one attachment or exec, multiplexed on the connection. */
export class Channel implements ProcessStreams {
  readonly number: number;
  readonly stdin: OutgoingStream;
  readonly stdout: IncomingStream;
  readonly stderr: IncomingStream;
  readonly #link: ChannelLink;
  #open = true;

  constructor(number: number, options: AttachOptions, link: ChannelLink) {
    this.number = number;
    this.#link = link;
    const id = (kind: StreamKind): number => streamId(number, kind);
    const send = (bytes: Uint8Array): void => {
      if (this.#open) link.send(bytes);
    };
    this.stdin = new OutgoingStream({
      data: (bytes) => send(encodeFrame(FRAME.data, id(STREAM.stdin), bytes)),
      end: () => {
        if (options.stdin) send(encodeFrame(FRAME.eof, id(STREAM.stdin), new Uint8Array()));
      },
    });
    this.stdout = new IncomingStream((bytes) => send(encodeCredit(id(STREAM.stdout), bytes)));
    this.stderr = new IncomingStream((bytes) => send(encodeCredit(id(STREAM.stderr), bytes)));
    if (!options.stdin) this.stdin.destroy();
  }

  /** Takes a stream frame's payload. */
  receive(kind: StreamKind, payload: Uint8Array): void {
    this.#output(kind)?.receive(payload);
  }

  /** Takes a stream's end. */
  finish(kind: StreamKind): void {
    this.#output(kind)?.finish();
  }

  /** Takes credit for the standard input. */
  grant(kind: StreamKind, bytes: number): void {
    if (kind === STREAM.stdin) this.stdin.grant(bytes);
  }

  /** Resolves once both outputs have been read to their ends or given up. */
  async outputsEnded(): Promise<void> {
    await Promise.all([this.stdout, this.stderr].map(ended));
  }

  detach(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#link.detached(this.number);
    for (const stream of [this.stdin, this.stdout, this.stderr]) stream.destroy();
  }

  /** The connection is lost. */
  fail(error: Error): void {
    this.#open = false;
    for (const stream of [this.stdin, this.stdout, this.stderr]) {
      // What has ended well stays so, even when the reader has not come to the end yet.
      if (stream instanceof IncomingStream && stream.isComplete) continue;
      stream.destroy(error);
    }
  }

  #output(kind: StreamKind): IncomingStream | undefined {
    if (kind === STREAM.stdout) return this.stdout;
    return kind === STREAM.stderr ? this.stderr : undefined;
  }
}

async function ended(stream: IncomingStream): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  finished(stream, () => resolve());
  await promise;
}

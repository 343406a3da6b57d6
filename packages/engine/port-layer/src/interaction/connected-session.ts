import type { Socket } from 'node:net';
import { Broadcast, withDeadline } from '@vic/async';
import { VicError } from '@vic/errors';
import {
  ControlAssembler,
  FRAME,
  channelOf,
  decodeCredit,
  encodeControl,
  parseEndpointMessage,
  parseTetherMessage,
  protocolError,
  streamKindOf,
} from '@vic/agent-protocol';
import type {
  ConsoleSize,
  EndpointMessage,
  ExitStatus,
  Frame,
  FrameDecoder,
  LaunchSpec,
  ProcessSpec,
  StatusMessage,
  TetherMessage,
} from '@vic/agent-protocol';
import { Channel } from './channel.ts';
import type { ChannelLink } from './channel.ts';
import { ConnectedExec } from './connected-exec.ts';
import { PendingAnswers } from './pending-answers.ts';
import { ResumedExec } from './resumed-exec.ts';
import { StartFailedError } from './start-failed-error.ts';
import type {
  AttachOptions,
  ExecControl,
  ExecSession,
  FoundExec,
  ProcessStreams,
  Started,
  TetherSession,
} from './tether-session.ts';

/** How long the tether may take for what involves no disk. */
const ANSWER_MS = 15_000;
/** Starting a process reads from the disk, under emulation perhaps on a busy machine. */
const START_MS = 120_000;
/** Nothing is read from a machine whose connection has this much to write. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

/** The main process's number where a message names a channel. */
const MAIN = 0;

/** A {@link TetherSession} over an authenticated socket. */
export class ConnectedSession implements TetherSession, ChannelLink {
  readonly vmId: string;
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #decoder: FrameDecoder;
  readonly #control = new ControlAssembler();
  readonly #channels = new Map<number, Channel>();
  readonly #execs = new Map<number, ConnectedExec | ResumedExec>();
  #found: readonly FoundExec[] = [];
  readonly #answers = new PendingAnswers();
  readonly #events = new Broadcast<TetherMessage>();
  readonly #onStatus: () => void;
  #status: StatusMessage | undefined;
  #starting: PromiseWithResolvers<Started> | undefined;
  #nextChannel = 1;

  /** `onStatus` is called once, when the tether has said what state it is in. */
  constructor(vmId: string, socket: Socket, decoder: FrameDecoder, onStatus: () => void) {
    this.vmId = vmId;
    this.#socket = socket;
    this.#decoder = decoder;
    this.#onStatus = onStatus;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    socket.once('close', () => {
      this.#disconnected();
      resolve();
    });
  }

  get status(): StatusMessage {
    if (this.#status === undefined) throw new Error('a session is given out only once it has a status');
    return this.#status;
  }

  get found(): readonly FoundExec[] {
    return this.#found;
  }

  events(signal?: AbortSignal): AsyncIterable<TetherMessage> {
    return this.#events.subscribe(signal);
  }

  async launch(spec: LaunchSpec, signal?: AbortSignal): Promise<Started> {
    if (this.#starting !== undefined || this.status.state !== 'waiting') throw alreadyStarted(this.vmId);
    this.#starting = Promise.withResolvers<Started>();
    const { promise } = this.#starting;
    promise.catch(() => undefined);
    this.#ask({ kind: 'launch', spec });
    return withDeadline(`the container of ${this.vmId} to start`, START_MS, () => promise, signal);
  }

  async attach(options: AttachOptions, signal?: AbortSignal): Promise<ProcessStreams> {
    const channel = this.#openChannel(options);
    try {
      await this.#request((request) => ({ kind: 'attach', request, channel: channel.number, ...options }), signal);
    } catch (error) {
      channel.detach();
      throw error;
    }
    return channel;
  }

  async exec(process: ProcessSpec, signal?: AbortSignal, session?: string): Promise<ExecSession> {
    const channel = this.#openChannel({ stdin: process.openStdin, stdout: true, stderr: true });
    const exec = new ConnectedExec(channel, this.#controlOf(channel.number));
    this.#execs.set(channel.number, exec);
    try {
      const told = session === undefined || !this.#remembersExecs ? {} : { session };
      this.#ask({ kind: 'exec', channel: channel.number, process, ...told });
      await withDeadline('the process to start', START_MS, async () => exec.started, signal);
    } catch (error) {
      channel.detach();
      throw error;
    }
    return exec;
  }

  async resize(size: ConsoleSize, signal?: AbortSignal): Promise<void> {
    await this.#resize(MAIN, size, signal);
  }

  async signal(number: number, signal?: AbortSignal): Promise<void> {
    await this.#signal(MAIN, number, signal);
  }

  async powerOff(signal?: AbortSignal): Promise<void> {
    await this.#request((request) => ({ kind: 'power-off', request }), signal);
  }

  async ping(signal?: AbortSignal): Promise<void> {
    await this.#request((request) => ({ kind: 'ping', request }), signal);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Takes bytes from the socket; throws `TETHER_PROTOCOL` at the first that does not follow the protocol. */
  receive(bytes: Uint8Array): void {
    for (const frame of this.#decoder.push(bytes)) this.#take(frame);
  }

  send(bytes: Uint8Array): void {
    if (this.#socket.writableLength < MAX_WAITING_BYTES) this.#socket.write(bytes);
    else this.#socket.destroy();
  }

  detached(channel: number): void {
    this.#channels.delete(channel);
    this.#execs.get(channel)?.fail(gaveUp());
    this.#execs.delete(channel);
    this.#ask({ kind: 'detach', channel });
  }

  #openChannel(options: AttachOptions): Channel {
    const channel = new Channel(this.#nextChannel++, options, this);
    this.#channels.set(channel.number, channel);
    return channel;
  }

  async #resize(channel: number, size: ConsoleSize, signal?: AbortSignal): Promise<void> {
    await this.#request((request) => ({ kind: 'resize', request, channel, ...size }), signal);
  }

  async #signal(channel: number, number: number, signal?: AbortSignal): Promise<void> {
    await this.#request((request) => ({ kind: 'signal', request, channel, signal: number }), signal);
  }

  async #request(message: (request: number) => EndpointMessage, signal?: AbortSignal): Promise<void> {
    const { request, answer } = this.#answers.open();
    this.#ask(message(request));
    try {
      await withDeadline(`the tether of ${this.vmId} to answer`, ANSWER_MS, async () => answer, signal);
    } finally {
      this.#answers.forget(request);
    }
  }

  /** Checks what we say as the tether will: a caller's mistake must not cost the connection. */
  #ask(message: EndpointMessage): void {
    if (this.#socket.destroyed) throw disconnected(this.vmId);
    parseEndpointMessage(Buffer.from(JSON.stringify(message)));
    this.send(encodeControl(message));
  }

  #take(frame: Frame): void {
    switch (frame.type) {
      case FRAME.control:
      case FRAME.controlPart: {
        const body = this.#control.push(frame);
        if (body !== undefined) this.#handle(parseTetherMessage(body));
        return;
      }
      case FRAME.data:
      case FRAME.eof:
      case FRAME.credit:
        this.#takeStreamFrame(frame);
        return;
      default:
        throw protocolError(`frame type ${frame.type} after the handshake`);
    }
  }

  #takeStreamFrame(frame: Frame): void {
    const kind = streamKindOf(frame.stream);
    const channel = this.#channels.get(channelOf(frame.stream));
    if (kind === undefined) throw protocolError(`stream ${frame.stream} is none`);
    // Frames of a channel just given up may still be on their way.
    if (channel === undefined) return;
    if (frame.type === FRAME.data) channel.receive(kind, Uint8Array.from(frame.payload));
    else if (frame.type === FRAME.eof) channel.finish(kind);
    else channel.grant(kind, decodeCredit(frame.payload));
  }

  #handle(message: TetherMessage): void {
    if (this.#status === undefined && message.kind !== 'status') throw protocolError('the first message is no status');
    switch (message.kind) {
      case 'status':
        this.#takeStatus(message);
        break;
      case 'started':
        this.#status = { ...this.status, state: 'running', pid: message.pid, startedAt: message.time };
        this.#starting?.resolve({ pid: message.pid, time: BigInt(message.time) });
        break;
      case 'start-failed':
        this.#starting?.reject(new StartFailedError(message.failure, message.message));
        this.#status = { ...this.status, state: 'exited' };
        this.#ask({ kind: 'exit-received' });
        break;
      case 'exited': {
        const { kind: _, ...exit } = message;
        this.#status = { ...this.status, state: 'exited', exit };
        this.#ask({ kind: 'exit-received' });
        break;
      }
      case 'log-progress':
        this.#status = { ...this.status, logBytes: message.logBytes };
        break;
      case 'reply':
        this.#answers.settle(message.request, message.error);
        return;
      case 'exec-started':
        this.#startedExec(message.channel)?.begin(message.pid);
        return;
      case 'exec-failed':
        this.#startedExec(message.channel)?.fail(new StartFailedError(message.failure, message.message));
        return;
      case 'exec-exited':
        this.#endExec(message.channel, message);
        return;
    }
    this.#events.publish(message);
  }

  #takeStatus(status: StatusMessage): void {
    if (this.#status !== undefined) throw protocolError('a second status');
    this.#status = status;
    if (status.state === 'exited') this.#ask({ kind: 'exit-received' });
    this.#findExecs(status);
    this.#onStatus();
  }

  /** Takes up what earlier connections started; their channels stay theirs. */
  #findExecs({ execs = [], lastChannel = 0 }: StatusMessage): void {
    this.#nextChannel = Math.max(lastChannel, ...execs.map(({ channel }) => channel)) + 1;
    this.#found = execs.map((exec) => {
      const resumed = new ResumedExec(exec, this.#controlOf(exec.channel));
      if (exec.exit === undefined) this.#execs.set(exec.channel, resumed);
      else this.#ask({ kind: 'detach', channel: exec.channel });
      return resumed;
    });
  }

  get #remembersExecs(): boolean {
    return this.status.execs !== undefined;
  }

  #controlOf(channel: number): ExecControl {
    return {
      resize: async (size, signal) => this.#resize(channel, size, signal),
      signal: async (number, signal) => this.#signal(channel, number, signal),
    };
  }

  #startedExec(channel: number): ConnectedExec | undefined {
    const exec = this.#execs.get(channel);
    return exec instanceof ConnectedExec ? exec : undefined;
  }

  #endExec(channel: number, { code, signal, oom, time }: ExitStatus): void {
    this.#execs.get(channel)?.end({ code, signal, oom, time });
    this.#execs.delete(channel);
    this.#channels.delete(channel);
    // The tether tells of the end again and again until it knows that it has been heard.
    if (this.#remembersExecs) this.#ask({ kind: 'detach', channel });
  }

  #disconnected(): void {
    const error = disconnected(this.vmId);
    this.#starting?.reject(error);
    this.#answers.fail(error);
    for (const exec of this.#execs.values()) exec.fail(error);
    for (const channel of this.#channels.values()) channel.fail(error);
    this.#execs.clear();
    this.#channels.clear();
    this.#events.close();
  }
}

function disconnected(vmId: string): VicError {
  return new VicError({
    class: 'Unavailable',
    code: 'TETHER_DISCONNECTED',
    message: `The connection to the container machine ${vmId} is lost.`,
  });
}

function gaveUp(): VicError {
  return new VicError({
    class: 'Cancelled',
    code: 'EXEC_DETACHED',
    message: 'The streams of the process were given up.',
  });
}

function alreadyStarted(vmId: string): VicError {
  return new VicError({
    class: 'Conflict',
    code: 'CONTAINER_STARTED',
    message: `The container of ${vmId} has been started already.`,
  });
}

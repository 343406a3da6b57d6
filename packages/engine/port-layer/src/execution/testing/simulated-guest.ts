import { PassThrough } from 'node:stream';
import { AsyncQueue } from '@vic/async';
import { randomUuid } from '@vic/ids';
import type { ConsoleSize, ExitStatus, LaunchSpec, StatusMessage, TetherMessage } from '@vic/agent-protocol';
import { formatRfc3339 } from '@vic/time';
import { VicError } from '@vic/errors';
import { StartFailedError } from '../../interaction/index.ts';
import type { ExecSession, FoundExec, ProcessStreams, Started, TetherSession } from '../../interaction/index.ts';

/** What a guest needs of the host it runs on. */
export interface GuestHost {
  nowNs(): bigint;
  /** The guest wrote a status key. */
  report(key: string, value: string): void;
  /** The guest powers its machine off. */
  off(): void;
}

/** A process that an exec started, which outlives the connection. */
interface SimulatedExec {
  readonly session: string;
  readonly ended: PromiseWithResolvers<ExitStatus>;
}

/** A tether and its process, in memory. Programs: `run` until killed, `exit N`, `echo WORD`, `cat`, `missing`, `stuck`. */
export class SimulatedGuest {
  readonly vmId: string;
  readonly #host: GuestHost;
  readonly #sessions = new Set<SimulatedSession>();
  status: StatusMessage = { kind: 'status', state: 'waiting', bootId: randomUuid(), logBytes: 0 };
  launches: LaunchSpec[] = [];
  /** What terminals were resized to. */
  readonly sizes: ConsoleSize[] = [];
  /** Started by execs, not heard of by an endpoint since they ended. */
  readonly execs: SimulatedExec[] = [];
  /** A machine whose process has ended goes off when this settles. */
  outputHeld: Promise<void> = Promise.resolve();
  /** Execs start when this settles. */
  execHeld: Promise<void> = Promise.resolve();

  constructor(vmId: string, host: GuestHost) {
    this.vmId = vmId;
    this.#host = host;
  }

  connect(): SimulatedSession {
    const session = new SimulatedSession(this);
    this.#sessions.add(session);
    void session.closed.then(() => this.#sessions.delete(session));
    return session;
  }

  launch(spec: LaunchSpec): Started {
    this.launches.push(spec);
    const [program, argument] = spec.process.args;
    if (program === 'missing') throw new StartFailedError('not-found', `exec: "missing": not found`);
    if (program === 'stuck') throw deadlineExceeded();
    const time = this.#host.nowNs();
    this.status = { ...this.status, state: 'running', pid: 42, startedAt: time.toString() };
    this.#host.report('guestinfo.vic.status.started', formatRfc3339(time));
    this.#say({ kind: 'started', pid: 42, time: time.toString() });
    if (program === 'exit') this.exit(Number(argument));
    if (program === 'echo') {
      for (const session of this.#sessions) session.output(`${argument}\n`);
      this.exit(0);
    }
    return { pid: 42, time };
  }

  exit(code: number): void {
    const exit: ExitStatus = { code, signal: 0, oom: false, time: this.#host.nowNs().toString() };
    this.status = { ...this.status, state: 'exited', exit };
    this.#host.report('guestinfo.vic.status.exit', JSON.stringify(exit));
    for (const session of this.#sessions) session.endOutput();
    this.#say({ kind: 'exited', ...exit });
    void this.outputHeld.then(() => this.#host.off());
  }

  /** The processes of all execs end. */
  endExecs(code: number): void {
    for (const { ended } of this.execs) ended.resolve({ code, signal: 0, oom: false, time: '0' });
  }

  /** The connection is lost; the guest goes on. */
  disconnect(): void {
    for (const session of this.#sessions) session.close();
  }

  /** The connection that was there first is lost, others stay. */
  disconnectOldest(): void {
    const [oldest] = this.#sessions;
    oldest?.close();
  }

  #say(message: TetherMessage): void {
    for (const session of this.#sessions) session.say(message);
  }
}

/** One connection of a simulated tether. */
export class SimulatedSession implements TetherSession {
  readonly #guest: SimulatedGuest;
  readonly #messages = new AsyncQueue<TetherMessage>();
  readonly #closed = Promise.withResolvers<void>();
  readonly #streams = new Set<ProcessStreams & { readonly stdout: PassThrough; readonly stderr: PassThrough }>();

  constructor(guest: SimulatedGuest) {
    this.#guest = guest;
  }

  get vmId(): string {
    return this.#guest.vmId;
  }

  get status(): StatusMessage {
    return this.#guest.status;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  say(message: TetherMessage): void {
    this.#messages.push(message);
  }

  output(text: string): void {
    for (const { stdout } of this.#streams) stdout.write(text);
  }

  endOutput(): void {
    for (const { stdout, stderr } of this.#streams) {
      stdout.end();
      stderr.end();
    }
  }

  async *events(signal?: AbortSignal): AsyncGenerator<TetherMessage, void, undefined> {
    signal?.addEventListener('abort', () => this.#messages.close(), { once: true });
    yield* this.#messages;
  }

  async launch(spec: LaunchSpec): Promise<Started> {
    return this.#guest.launch(spec);
  }

  async attach(): Promise<ProcessStreams> {
    const streams = {
      stdin: new PassThrough(),
      stdout: new PassThrough(),
      stderr: new PassThrough(),
      detach: (): void => void this.#streams.delete(streams),
    };
    this.#streams.add(streams);
    // The simulated process copies its input to its output, and ends with it.
    streams.stdin.on('data', (chunk: Buffer) => this.output(chunk.toString()));
    streams.stdin.on('end', () => {
      if (this.#guest.launches.at(-1)?.process.args[0] === 'cat') this.#guest.exit(0);
    });
    return streams;
  }

  async exec(_process: unknown, _signal?: AbortSignal, session = ''): Promise<ExecSession> {
    await this.#guest.execHeld;
    const streams = await this.attach();
    const ended = Promise.withResolvers<ExitStatus>();
    this.#guest.execs.push({ session, ended });
    streams.stdin.on('end', () => {
      streams.stdout.push(null);
      ended.resolve({ code: 7, signal: 0, oom: false, time: '0' });
    });
    return { ...streams, ...this.#controlOf(ended.promise) };
  }

  get found(): readonly FoundExec[] {
    return this.#guest.execs.map(({ session, ended }) => ({ session, ...this.#controlOf(ended.promise) }));
  }

  #controlOf(ended: Promise<ExitStatus>): Omit<FoundExec, 'session'> {
    const lost = this.closed.then(() => {
      throw new VicError({ class: 'Unavailable', code: 'TETHER_DISCONNECTED', message: 'The connection is lost.' });
    });
    const exited = Promise.race([ended, lost]);
    exited.catch(() => undefined);
    return {
      pid: 43,
      exited,
      resize: async (size) => void this.#guest.sizes.push(size),
      signal: async () => undefined,
    };
  }

  async resize(size: ConsoleSize): Promise<void> {
    this.#guest.sizes.push(size);
  }

  async signal(number: number): Promise<void> {
    if (this.status.state === 'running' && (number === 9 || number === 15)) this.#guest.exit(128 + number);
  }

  async powerOff(): Promise<void> {}

  async ping(): Promise<void> {}

  close(): void {
    this.#messages.close();
    for (const { stdout, stderr } of this.#streams) {
      stdout.destroy();
      stderr.destroy();
    }
    this.#closed.resolve();
  }
}

/** What is thrown when the guest has not answered in time. */
function deadlineExceeded(): VicError {
  return new VicError({ class: 'Unavailable', code: 'DEADLINE_EXCEEDED', message: 'no answer in time' });
}

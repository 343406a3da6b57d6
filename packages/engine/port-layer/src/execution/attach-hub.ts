import type { Readable } from 'node:stream';
import type { Logger } from '@vic/log';
import type { ProcessStreams, TetherSession } from '../interaction/index.ts';
import { AttachClient, writeAll } from './attach-client.ts';
import { ChangeSignal } from './change-signal.ts';
import type { ProcessConfig } from './container.ts';
import type { AttachedStreams } from './execution.ts';

/**
 * The clients attached to a container's main process, over one subscription to its tether.
 *
 * The process waits for the slowest client; one that is gone is dropped. Clients stay attached when the
 * connection to the tether is lost and comes back, and may come before the process is started.
 */
export class AttachHub {
  readonly #process: ProcessConfig;
  readonly #logger: Logger;
  readonly #clients = new Set<AttachClient>();
  /** Clients of a run that is over, until its output has ended. */
  readonly #leaving = new Map<ProcessStreams, readonly AttachClient[]>();
  readonly #changed = new ChangeSignal();
  #subscription: { readonly session: TetherSession; readonly streams: ProcessStreams } | undefined;
  #subscribing: { readonly session: TetherSession; readonly done: Promise<void> } | undefined;
  #stdinEnded = false;

  constructor(process: ProcessConfig, logger: Logger) {
    this.#process = process;
    this.#logger = logger;
  }

  /** Adds a client; its streams begin with the process, or now if it runs. */
  attach(options: { readonly stdin: boolean }, session: TetherSession | undefined): AttachedStreams {
    const { tty, openStdin, stdinOnce } = this.#process;
    // Whoever leaves a terminal can come back to it.
    const closesInput = stdinOnce && !tty;
    const client = new AttachClient({ stdin: options.stdin && openStdin, stderr: !tty });
    this.#clients.add(client);
    client.stdout.once('close', () => this.#drop(client));
    if (client.stdin !== undefined) void this.#pumpInput(client);
    if (session !== undefined) void this.connect(session);
    return client.streams(() => {
      if (closesInput && client.stdin !== undefined && this.#clients.has(client)) this.#endInput();
      client.leave();
    });
  }

  /** Subscribes to the tether if a client is attached and there is no subscription on this session yet. */
  async connect(session: TetherSession): Promise<void> {
    if (this.#subscription?.session !== session) this.#subscription = undefined;
    if (this.#clients.size === 0 || this.#subscription !== undefined) return;
    if (this.#subscribing?.session !== session) {
      const done = this.#subscribe(session).finally(() => {
        if (this.#subscribing?.session === session) this.#subscribing = undefined;
      });
      this.#subscribing = { session, done };
    }
    await this.#subscribing.done;
  }

  /** The process has ended: those attached now get what it still wrote, and then the end. */
  finish(): void {
    const ending = [...this.#clients];
    // Those who attach from now on wait for the next start.
    this.#clients.clear();
    this.#stdinEnded = false;
    const subscription = this.#subscription;
    this.#subscription = undefined;
    if (subscription === undefined) for (const client of ending) client.end();
    else this.#leaving.set(subscription.streams, ending);
  }

  /** Resolves once those who were attached when the process ended have all that it wrote. */
  async delivered(signal: AbortSignal): Promise<void> {
    await this.#changed.until(() => this.#leaving.size === 0 || undefined, signal);
  }

  async #subscribe(session: TetherSession): Promise<void> {
    try {
      const streams = await session.attach({
        stdin: this.#process.openStdin,
        stdout: true,
        stderr: !this.#process.tty,
      });
      streams.stdin.on('error', () => undefined);
      if (this.#stdinEnded) streams.stdin.end();
      this.#subscription = { session, streams };
      void this.#pumpOutput(streams);
      if (this.#clients.size === 0) this.#unsubscribe();
      this.#changed.notify();
    } catch (error) {
      // The session is gone; its successor is connected to when it comes.
      this.#logger.debug('Attaching to a container failed.', { error: String(error) });
    }
  }

  async #pumpOutput(streams: ProcessStreams): Promise<void> {
    const pumps = [this.#pump(streams, streams.stdout, 'stdout')];
    if (!this.#process.tty) pumps.push(this.#pump(streams, streams.stderr, 'stderr'));
    await Promise.allSettled(pumps);
    if (this.#subscription?.streams === streams) this.#subscription = undefined;
    for (const client of this.#leaving.get(streams) ?? []) client.end();
    this.#leaving.delete(streams);
    this.#changed.notify();
  }

  async #pump(streams: ProcessStreams, source: Readable, channel: 'stdout' | 'stderr'): Promise<void> {
    for await (const chunk of source) {
      const readers = this.#leaving.get(streams) ?? [...this.#clients];
      await Promise.all(readers.map((client) => client.write(channel, chunk)));
    }
  }

  async #pumpInput(client: AttachClient): Promise<void> {
    const input = client.stdin;
    if (input === undefined) return;
    try {
      for await (const chunk of input) await writeAll(await this.#processInput(client.gone), chunk);
      if (this.#clients.has(client)) this.#endInput();
    } catch {
      // The client went away in the middle of its input; stdinOnce is dealt with when it detaches.
    }
  }

  async #processInput(signal: AbortSignal): Promise<ProcessStreams['stdin'] | undefined> {
    return this.#changed.until(() => this.#subscription?.streams.stdin, signal);
  }

  /** Ends the process's input now, or as soon as there is a process. */
  #endInput(): void {
    this.#stdinEnded = true;
    this.#subscription?.streams.stdin.end();
  }

  #drop(client: AttachClient): void {
    if (!this.#clients.delete(client)) return;
    client.leave();
    if (this.#clients.size === 0) this.#unsubscribe();
  }

  #unsubscribe(): void {
    const subscription = this.#subscription;
    this.#subscription = undefined;
    if (!this.#stdinEnded || subscription?.streams.stdin.writableFinished === true) subscription?.streams.detach();
    else subscription?.streams.stdin.once('finish', () => subscription.streams.detach());
  }
}

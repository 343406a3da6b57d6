import type { Readable, Writable } from 'node:stream';
import type { ConsoleSize, ExitStatus } from '@vic/agent-protocol';
import type { Channel } from './channel.ts';
import type { ExecControl, ExecSession } from './tether-session.ts';

/** An {@link ExecSession} over a channel. */
export class ConnectedExec implements ExecSession {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exited: Promise<ExitStatus>;
  /** Settles once the tether has started the process or failed to. */
  readonly started: Promise<number>;
  readonly #channel: Channel;
  readonly #control: ExecControl;
  readonly #started = Promise.withResolvers<number>();
  readonly #exited = Promise.withResolvers<ExitStatus>();
  #pid = 0;

  constructor(channel: Channel, control: ExecControl) {
    this.#channel = channel;
    this.#control = control;
    this.stdin = channel.stdin;
    this.stdout = channel.stdout;
    this.stderr = channel.stderr;
    this.started = this.#started.promise;
    this.exited = this.#exited.promise;
    this.started.catch(() => undefined);
    this.exited.catch(() => undefined);
  }

  get pid(): number {
    return this.#pid;
  }

  async resize(size: ConsoleSize, signal?: AbortSignal): Promise<void> {
    await this.#control.resize(size, signal);
  }

  async signal(number: number, signal?: AbortSignal): Promise<void> {
    await this.#control.signal(number, signal);
  }

  detach(): void {
    this.#channel.detach();
  }

  /** The process runs. */
  begin(pid: number): void {
    this.#pid = pid;
    this.#started.resolve(pid);
  }

  /** It could not be started, or nothing more will be heard of it. */
  fail(error: Error): void {
    this.#started.reject(error);
    this.#exited.reject(error);
  }

  /** It has ended; told once its output has been read. */
  end(status: ExitStatus): void {
    this.stdin.destroy();
    void this.#channel.outputsEnded().then(() => this.#exited.resolve(status));
  }
}

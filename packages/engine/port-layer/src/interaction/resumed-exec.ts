import type { ConsoleSize, ExecStatus, ExitStatus } from '@vic/agent-protocol';
import type { ExecControl, FoundExec } from './tether-session.ts';

/** A {@link FoundExec} that still runs, or did until the connection was lost. */
export class ResumedExec implements FoundExec {
  readonly session: string;
  readonly pid: number;
  readonly exited: Promise<ExitStatus>;
  readonly #control: ExecControl;
  readonly #exited = Promise.withResolvers<ExitStatus>();

  constructor({ session, pid, exit }: ExecStatus, control: ExecControl) {
    this.session = session;
    this.pid = pid;
    this.#control = control;
    this.exited = this.#exited.promise;
    this.exited.catch(() => undefined);
    if (exit !== undefined) this.#exited.resolve(exit);
  }

  async resize(size: ConsoleSize, signal?: AbortSignal): Promise<void> {
    await this.#control.resize(size, signal);
  }

  async signal(number: number, signal?: AbortSignal): Promise<void> {
    await this.#control.signal(number, signal);
  }

  /** Nothing more will be heard of it. */
  fail(error: Error): void {
    this.#exited.reject(error);
  }

  /** It has ended. */
  end(status: ExitStatus): void {
    this.#exited.resolve(status);
  }
}

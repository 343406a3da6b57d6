import { delay } from '@vic/async';
import type { Logger } from '@vic/log';
import type { QmpClient, QmpEvent } from '@vic/qemu';

type Qmp = Pick<QmpClient, 'execute' | 'onEvent'>;

/** How long a machine waits until it tries its write again. */
const RETRY_MS = 5_000;

/**
 * Lets machines go on that QEMU stopped because a write found its datastore full.
 *
 * QEMU keeps such a write and goes on with it when it is told to, so that the guest never sees an error; nobody else
 * would tell it.
 */
export class WaitForRoom {
  readonly #logger: Logger;
  readonly #machine: string;
  readonly #signal: AbortSignal;
  readonly #onChange: (waiting: boolean) => void;
  readonly #retryMs: number;
  /** The connection that a wait is under way on. */
  #waiting: Qmp | undefined;

  /** Waits end with `signal`. */
  constructor(
    deps: {
      readonly logger: Logger;
      readonly machine: string;
      readonly onChange: (waiting: boolean) => void;
      readonly retryMs?: number;
    },
    signal: AbortSignal,
  ) {
    this.#logger = deps.logger;
    this.#machine = deps.machine;
    this.#onChange = deps.onChange;
    this.#retryMs = deps.retryMs ?? RETRY_MS;
    this.#signal = signal;
  }

  /** Follows what QEMU reports on this connection. */
  follow(client: Qmp): void {
    client.onEvent((event) => {
      if (isOutOfSpace(event)) this.#start(client);
    });
  }

  /** Finds out whether the machine was stopped while nobody was connected. */
  async check(client: Qmp): Promise<void> {
    if (await isStopped(client).catch(() => false)) this.#start(client);
  }

  #start(client: Qmp): void {
    if (this.#waiting === client) return;
    // One that was still waiting on an earlier connection leaves it to this one.
    if (this.#waiting === undefined) this.#tell();
    this.#waiting = client;
    void this.#wait(client)
      // The connection or the machine has gone: a new connection finds out again.
      .catch(() => undefined)
      .finally(() => {
        if (this.#waiting !== client) return;
        this.#waiting = undefined;
        this.#onChange(false);
      });
  }

  #tell(): void {
    this.#onChange(true);
    this.#logger.warn('a machine found its datastore full and waits until there is room', { machine: this.#machine });
  }

  async #wait(client: Qmp): Promise<void> {
    do {
      await delay(this.#retryMs, this.#signal);
      if (await isStopped(client)) await client.execute('cont', {}, { signal: this.#signal });
      await delay(this.#retryMs, this.#signal);
    } while (await isStopped(client));
    this.#logger.info('a machine goes on after its datastore was full', { machine: this.#machine });
  }
}

function isOutOfSpace({ name, data }: QmpEvent): boolean {
  return name === 'BLOCK_IO_ERROR' && data['nospace'] === true && data['action'] === 'stop';
}

/** Whether QEMU waits with a failed write; a machine that was suspended is `paused`. */
async function isStopped(client: Qmp): Promise<boolean> {
  const answer = await client.execute('query-status');
  return typeof answer === 'object' && answer !== null && 'status' in answer && answer.status === 'io-error';
}

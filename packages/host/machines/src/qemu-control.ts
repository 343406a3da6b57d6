import { delay } from '@vic/async';
import type { Logger } from '@vic/log';
import { isAlive } from '@vic/process';
import type { ProcessIdentity } from '@vic/process';
import { QmpClient } from '@vic/qemu';
import { WaitForRoom } from './wait-for-room.ts';

/** How long one try to reach a machine lasts; on a busy host it may take that long for QEMU to be scheduled. */
const ANSWER_TIMEOUT_MS = 60_000;
const PAUSE_MS = 500;
/** What QEMU said last is read by then, once its process is gone. */
const LAST_EVENTS_MS = 2_000;

/**
 * The control connection of a running machine.
 *
 * It is made again for as long as the process lives: a machine is never ended because it, or its host, is slow.
 */
export class QemuControl {
  readonly #machine: string;
  readonly #socket: string;
  readonly #process: ProcessIdentity;
  readonly #logger: Logger;
  readonly #onConnected: () => void;
  readonly #stop = new AbortController();
  readonly #room: WaitForRoom;
  #client: QmpClient | undefined;
  #lastClosed: Promise<void> = Promise.resolve();
  #shutdownReason: string | undefined;

  constructor(
    deps: {
      readonly machine: string;
      readonly socket: string;
      readonly process: ProcessIdentity;
      readonly logger: Logger;
      readonly roomRetryMs?: number;
    },
    on: { readonly connected: () => void; readonly waiting: (forRoom: boolean) => void },
  ) {
    this.#machine = deps.machine;
    this.#socket = deps.socket;
    this.#process = deps.process;
    this.#logger = deps.logger;
    this.#onConnected = on.connected;
    const retry = deps.roomRetryMs === undefined ? {} : { retryMs: deps.roomRetryMs };
    const { logger, machine } = deps;
    this.#room = new WaitForRoom({ logger, machine, onChange: on.waiting, ...retry }, this.#stop.signal);
  }

  /** The connection; `undefined` while there is none. */
  get client(): QmpClient | undefined {
    return this.#client;
  }

  /** The `reason` of QEMU's SHUTDOWN event, once there was one. */
  get shutdownReason(): string | undefined {
    return this.#shutdownReason;
  }

  /** Takes a connection that has been made. */
  use(client: QmpClient): void {
    this.#client = client;
    client.onEvent((event) => {
      if (event.name === 'SHUTDOWN') this.#shutdownReason = String(event.data['reason']);
    });
    this.#room.follow(client);
    this.#lastClosed = client.closed;
    void client.closed.then(async () => {
      this.#client = undefined;
      await this.#reconnect();
    });
    this.#onConnected();
  }

  /** Connects; gives up waiting after `patienceMs`, and goes on trying in the background. */
  async connect(patienceMs: number, signal: AbortSignal): Promise<void> {
    const waited = new AbortController();
    const patience = delay(patienceMs, AbortSignal.any([signal, waited.signal])).catch(() => undefined);
    await Promise.race([this.#reconnect(), patience]);
    waited.abort();
  }

  /** Resolves when everything the ended QEMU said has been read. */
  async drained(): Promise<void> {
    const waited = new AbortController();
    await Promise.race([this.#lastClosed, delay(LAST_EVENTS_MS, waited.signal).catch(() => undefined)]);
    waited.abort();
  }

  /** Makes no new connection from now on; the one there is stays, for a last command. */
  stop(): void {
    this.#stop.abort();
  }

  /** Drops the connection; the machine goes on. */
  close(): void {
    this.stop();
    this.#client?.close();
  }

  async #reconnect(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted && (await isAlive(this.#process))) {
      try {
        const client = await QmpClient.connect(this.#socket, { timeoutMs: ANSWER_TIMEOUT_MS, signal });
        if (signal.aborted) client.close();
        else {
          this.use(client);
          await this.#room.check(client);
        }
        return;
      } catch (error) {
        if (signal.aborted || !(await isAlive(this.#process))) return;
        this.#logger.warn('a machine does not answer yet', { machine: this.#machine, error });
      }
      await delay(PAUSE_MS, signal).catch(() => undefined);
    }
  }
}

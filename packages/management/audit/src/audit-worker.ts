import { delay } from '@vic/async';
import { describeError } from '@vic/errors';
import { randomUuid } from '@vic/ids';
import type { Logger } from '@vic/log';
import type { Database } from '@vic/sql';
import type { SyslogMessage } from '@vic/syslog';
import type { AuditSettings } from './audit-log.ts';
import { forwardRecords, lastPosition, skipForwarding } from './forward-records.ts';
import { purgeRecords } from './purge-records.ts';
import { sealRecords } from './seal-records.ts';

/** What {@link AuditWorker} is made of. */
export interface AuditWorkerDeps {
  readonly database: Database;
  readonly logger: Logger;
  settings(): Promise<AuditSettings>;
  /** Sends to the syslog server at that endpoint; throws when it did not take the messages. */
  send(endpoint: string, messages: readonly SyslogMessage[], signal: AbortSignal): Promise<void>;
}

/** Options of {@link AuditWorker}. */
export interface AuditWorkerOptions {
  /** How often it looks for new records. 500 ms. */
  readonly pollMs?: number;
  /** The first pause after the server was away, doubling up to 64 times this. 1 s. */
  readonly retryMs?: number;
}

const MAX_RETRY_DOUBLINGS = 6;

/** Chains the records of the audit log and forwards them, beside other processes that do the same. */
export class AuditWorker implements AsyncDisposable {
  readonly #deps: AuditWorkerDeps;
  readonly #pollMs: number;
  readonly #retryMs: number;
  readonly #owner = randomUuid();
  readonly #stopping = new AbortController();
  #loops: readonly Promise<void>[] = [];

  constructor(deps: AuditWorkerDeps, options: AuditWorkerOptions = {}) {
    this.#deps = deps;
    this.#pollMs = options.pollMs ?? 500;
    this.#retryMs = options.retryMs ?? 1000;
  }

  /** Starts to look for records. */
  start(): void {
    if (this.#loops.length > 0) return;
    this.#loops = [
      this.#repeat('chained', async () => this.#sealAll()),
      this.#repeat('forwarded', async () => this.#forwardAll()),
    ];
  }

  /** Chains what was written last, and stops. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#loops);
    await this.#sealAll().catch(() => undefined);
    await this.#deps.database.db
      .updateTable('audit_chain')
      .set({ lease_owner: null, lease_until: 0 })
      .where('lease_owner', '=', this.#owner)
      .execute()
      .catch(() => undefined);
  }

  async #sealAll(): Promise<void> {
    while ((await sealRecords(this.#deps.database)) > 0);
  }

  async #forwardAll(): Promise<void> {
    const { database } = this.#deps;
    const { signal } = this.#stopping;
    // Before the settings: a record that is chained after them may be of the time when a server had been named.
    const end = await lastPosition(database);
    const settings = await this.#deps.settings();
    const endpoint = settings.audit_log_forward_endpoint;
    if (endpoint === '') {
      await skipForwarding(database, end);
      return;
    }
    const send = async (messages: readonly SyslogMessage[]) => this.#deps.send(endpoint, messages, signal);
    while (!signal.aborted && (await forwardRecords({ database, owner: this.#owner, send })) > 0);
    if (settings.skip_audit_log_database) await this.#removeForwarded(signal);
  }

  /** What the server has need not be kept here. */
  async #removeForwarded(signal: AbortSignal): Promise<void> {
    const { database } = this.#deps;
    const { forwarded_position: upToPosition } = await database.db
      .selectFrom('audit_chain')
      .select('forwarded_position')
      .executeTakeFirstOrThrow();
    await purgeRecords(database, { upToPosition }, signal);
  }

  async #repeat(what: string, operation: () => Promise<void>): Promise<void> {
    const { signal } = this.#stopping;
    let failures = 0;
    while (!signal.aborted) {
      try {
        await operation();
        failures = 0;
      } catch (error) {
        failures++;
        if (!signal.aborted) {
          this.#deps.logger.warn(`Audit records could not be ${what}`, { error: describeError(error) });
        }
      }
      const pauseMs = failures === 0 ? this.#pollMs : this.#retryMs * 2 ** Math.min(failures - 1, MAX_RETRY_DOUBLINGS);
      await delay(pauseMs, signal).catch(() => undefined);
    }
  }
}

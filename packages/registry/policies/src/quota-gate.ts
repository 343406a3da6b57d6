import { nameOf } from '@vic/authz';
import type { QuotaState, RegistryEvent } from '@vic/registry-api';
import type { ArtifactGate, BlobSubject, GateSubject, PushSubject } from '@vic/repositories';
import type { Database, Executor } from '@vic/sql';
import { QuotaReservations } from './quota-reservations.ts';
import type { Quotas, StorageUse } from './quotas.ts';
import { UNLIMITED, quotaExceeded } from './storage-limit.ts';

/** From this part of the limit on, administrators are warned. */
const WARNING_RATIO = 0.85;

/** A client that keeps on trying causes one event in this time. */
const EXCEEDED_EVENT_INTERVAL_MS = 60_000;

/**
 * Requests are told apart only near the limit: within this part of it, or this many times the size of the
 * request. Further away no number of requests at the same time comes across it.
 */
const NEAR_RATIO = 0.1;
const NEAR_REQUESTS = 100;

/** What {@link QuotaGate} is composed of. */
export interface QuotaGateDeps {
  readonly database: Database;
  readonly quotas: Pick<Quotas, 'read'>;
  /** Writes an event in a transaction. */
  appendEvent(transaction: Executor, event: RegistryEvent): Promise<unknown>;
  readonly now?: () => number;
}

/** Refuses what would take a project over its storage limit, and warns before. */
export class QuotaGate implements ArtifactGate {
  readonly name = 'quota';
  readonly #deps: QuotaGateDeps;
  readonly #reservations: QuotaReservations;
  readonly #now: () => number;
  readonly #exceededAtMs = new Map<number, number>();

  constructor(deps: QuotaGateDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? Date.now;
    this.#reservations = new QuotaReservations(deps.database, this.#now);
  }

  async beforeBlob(subject: BlobSubject): Promise<void> {
    await this.#admit(subject, subject.digest, subject.sizeBytesToAdd);
  }

  async beforePush(subject: PushSubject): Promise<void> {
    await this.#admit(subject, subject.digest, subject.sizeBytesToAdd);
  }

  async #admit(subject: GateSubject, digest: string | undefined, addedBytes: number): Promise<void> {
    // What the project has already is free, also above the limit.
    if (addedBytes <= 0) return;
    const use = await this.#deps.quotas.read(subject.project.id);
    if (use.limitBytes === UNLIMITED) return;
    if (use.usedBytes + addedBytes > use.limitBytes) await this.#refuse(subject, use, addedBytes);
    if (digest !== undefined && isNear(use, addedBytes))
      await this.#reserve(subject, use.limitBytes, { digest, addedBytes });
    const warnFrom = use.limitBytes * WARNING_RATIO;
    if (use.usedBytes < warnFrom && use.usedBytes + addedBytes >= warnFrom) {
      await this.#tell('quota.warned', subject, { ...use, usedBytes: use.usedBytes + addedBytes });
    }
  }

  /** Counts what other requests, in any process, are about to add. */
  async #reserve(
    subject: GateSubject,
    limitBytes: number,
    { digest, addedBytes }: { readonly digest: string; readonly addedBytes: number },
  ): Promise<void> {
    const projectId = subject.project.id;
    const usedBytes = await this.#reservations.reserve({ projectId, digest, addedBytes, limitBytes });
    if (usedBytes + addedBytes <= limitBytes) return;
    await this.#refuse(subject, { limitBytes, usedBytes }, addedBytes);
  }

  async #refuse(subject: GateSubject, use: StorageUse, addedBytes: number): Promise<never> {
    const toldAtMs = this.#exceededAtMs.get(subject.project.id) ?? Number.NEGATIVE_INFINITY;
    if (this.#now() - toldAtMs >= EXCEEDED_EVENT_INTERVAL_MS) {
      this.#exceededAtMs.set(subject.project.id, this.#now());
      await this.#tell('quota.exceeded', subject, use);
    }
    throw quotaExceeded({ ...use, addedBytes });
  }

  async #tell(type: 'quota.exceeded' | 'quota.warned', subject: GateSubject, use: StorageUse): Promise<void> {
    const { project, repository, actor } = subject;
    const state: QuotaState = { repository, usedBytes: use.usedBytes, limitBytes: use.limitBytes };
    const event: RegistryEvent = {
      type,
      projectId: project.id,
      projectName: project.name,
      operator: nameOf(actor.principal),
      ...state,
    };
    await this.#deps.database.transaction(async (transaction) => this.#deps.appendEvent(transaction, event));
  }
}

function isNear(use: StorageUse, addedBytes: number): boolean {
  const headroomBytes = use.limitBytes - use.usedBytes;
  return headroomBytes < Math.max(use.limitBytes * NEAR_RATIO, addedBytes * NEAR_REQUESTS);
}

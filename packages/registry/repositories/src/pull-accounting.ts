import { appendEvent } from '@vic/events';
import type { Logger } from '@vic/log';
import type { Database, Executor } from '@vic/sql';
import { eventOf } from './artifact-event.ts';
import type { Actor, RepositoryPlace } from './artifact-gate.ts';
import type { Artifact } from './artifact.ts';

/** One manifest served to a client. */
export interface Pull {
  readonly place: RepositoryPlace;
  readonly actor: Actor;
  readonly artifact: Artifact;
  readonly tag: string | undefined;
  readonly atMs: number;
}

/** How long a pull may be known to this process alone. */
const FLUSH_INTERVAL_MS = 500;
/** Pulls written in one transaction. */
const PULLS_PER_TRANSACTION = 500;
/** While the database is away, pulls wait; what goes beyond this is given up, with a line in the log. */
const MAX_WAITING = 50_000;

/**
 * Counts pulls without making them wait: they are collected and written together, each with its event, while
 * repository, artifact and tag are updated once for all of them.
 */
export class PullAccounting implements AsyncDisposable {
  readonly #database: Database;
  readonly #logger: Logger;
  #waiting: Pull[] = [];
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();
  #lost = 0;

  constructor(database: Database, logger: Logger) {
    this.#database = database;
    this.#logger = logger;
  }

  /** Notes a pull. */
  record(pull: Pull): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#lost += 1;
      return;
    }
    this.#waiting.push(pull);
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_INTERVAL_MS);
  }

  /** Writes what waits; failures are logged and tried again with the next pull. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flushing = this.#flushing.then(async () => this.#writeAll());
    await this.#flushing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush();
    clearTimeout(this.#timer);
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const pulls = this.#waiting.splice(0, PULLS_PER_TRANSACTION);
      try {
        await this.#database.transaction(async (tx) => write(tx, pulls));
      } catch (error) {
        this.#waiting.unshift(...pulls);
        this.#timer ??= setTimeout(() => void this.flush(), FLUSH_INTERVAL_MS * 10).unref();
        this.#logger.warn('Pulls could not be counted yet', { waiting: this.#waiting.length, lost: this.#lost, error });
        return;
      }
    }
  }
}

async function write(tx: Executor, pulls: readonly Pull[]): Promise<void> {
  const repositories = new Map<number, number>();
  const artifacts = new Map<number, number>();
  const tags = new Map<string, { readonly repositoryId: number; readonly name: string; readonly atMs: number }>();
  for (const { artifact, tag, atMs } of pulls) {
    repositories.set(artifact.repositoryId, (repositories.get(artifact.repositoryId) ?? 0) + 1);
    artifacts.set(artifact.id, Math.max(atMs, artifacts.get(artifact.id) ?? 0));
    if (tag === undefined) continue;
    tags.set(`${artifact.repositoryId}:${tag}`, { repositoryId: artifact.repositoryId, name: tag, atMs });
  }
  for (const [id, count] of inOrder(repositories)) {
    await tx
      .updateTable('repositories')
      .set((eb) => ({ pull_count: eb('pull_count', '+', count) }))
      .where('id', '=', id)
      .execute();
  }
  for (const [id, atMs] of inOrder(artifacts)) {
    await tx.updateTable('artifacts').set({ pulled_at_ms: atMs }).where('id', '=', id).execute();
  }
  for (const { repositoryId, name, atMs } of tags.values()) {
    await tx
      .updateTable('tags')
      .set({ pulled_at_ms: atMs })
      .where('repository_id', '=', repositoryId)
      .where('name', '=', name)
      .execute();
  }
  for (const { place, actor, artifact, tag } of pulls) {
    const subject = eventOf(place, actor, artifact, tag === undefined ? [] : [tag]);
    await appendEvent(tx, { type: 'artifact.pulled', ...subject });
  }
}

/** In one order everywhere, so that processes that count the same repositories do not block each other. */
function inOrder(counts: ReadonlyMap<number, number>): readonly (readonly [number, number])[] {
  return [...counts].toSorted(([a], [b]) => a - b);
}

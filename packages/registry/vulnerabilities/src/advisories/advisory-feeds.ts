import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { VicError } from '@vic/errors';
import { randomUuid } from '@vic/ids';
import type { Logger } from '@vic/log';
import type { Database, Schema, Selectable } from '@vic/sql';
import type { AdvisoryLookup } from '../match-inventory.ts';
import { AdvisoryFile } from './advisory-file.ts';
import type { KeyedAdvisory, PackageAdvisory } from './advisory.ts';
import { type FeedProgress, readFeed } from './read-feed.ts';
import { writeAdvisoryFile } from './write-advisory-file.ts';

/** Fetches a feed from an `http` or `https` URL. */
export type FetchFeed = (
  url: string,
  etag: string | undefined,
  signal: AbortSignal,
) => Promise<{ readonly etag: string | undefined; readonly content: AsyncIterable<Uint8Array> } | 'unchanged'>;

/** What {@link AdvisoryFeeds} works with. */
export interface AdvisoryFeedsDeps {
  readonly database: Database;
  readonly logger: Logger;
  /** Holds the indexed files; all processes of an installation share it. */
  readonly directory: string;
  readonly fetch: FetchFeed;
  readonly now?: () => number;
}

/** A feed as imported. */
export interface AdvisoryFeed {
  readonly id: number;
  readonly name: string;
  readonly source: string;
  readonly ecosystems: readonly string[];
  readonly advisoryCount: number;
  readonly packageCount: number;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number | undefined;
  readonly importedAtMs: number;
}

/** How much is known, and how old it is. */
export interface AdvisoryStatus {
  readonly feeds: readonly AdvisoryFeed[];
  readonly advisoryCount: number;
  /** When the newest advisory of any feed was changed. */
  readonly modifiedAtMs: number | undefined;
  /** When a feed was last imported. */
  readonly importedAtMs: number | undefined;
}

/** What is to be imported. */
export interface FeedImport {
  readonly name: string;
  /** A zip, directory or JSON file of this machine, or a URL. */
  readonly source: string;
  /** `replace` makes the feed what the source is; `merge` changes only the advisories that the source has. */
  readonly mode: 'replace' | 'merge';
}

/** No published feed comes near; a server that never ends is stopped here. */
const MAX_DOWNLOAD_BYTES = 8 * 1024 * 1024 * 1024;
/** A file that was replaced may still be in use by a scan of another process. */
const KEEP_REPLACED_MS = 60 * 60_000;

/** The advisories the built-in scanner knows: rows say which indexed files are in force. */
export class AdvisoryFeeds {
  readonly #deps: AdvisoryFeedsDeps;
  readonly #now: () => number;

  constructor(deps: AdvisoryFeedsDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? Date.now;
  }

  /** What is known at present. */
  async status(): Promise<AdvisoryStatus> {
    const rows = await this.#rows();
    const feeds = rows.map(feedOf);
    const latest = (times: readonly (number | undefined)[]): number | undefined =>
      times.reduce((a, b) => (b !== undefined && (a === undefined || b > a) ? b : a), undefined);
    return {
      feeds,
      advisoryCount: feeds.reduce((sum, feed) => sum + feed.advisoryCount, 0),
      modifiedAtMs: latest(feeds.map((feed) => feed.modifiedAtMs)),
      importedAtMs: latest(feeds.map((feed) => feed.importedAtMs)),
    };
  }

  /**
   * Imports a feed; gives `false` when its URL says that nothing changed.
   *
   * The new file takes the old one's place in one step: a scan sees the old or the new advisories, never a mixture.
   */
  async import(wanted: FeedImport, signal: AbortSignal, progress: FeedProgress = () => undefined): Promise<boolean> {
    checkName(wanted.name);
    await mkdir(this.#deps.directory, { recursive: true });
    const existing = (await this.#rows()).find((row) => row.name === wanted.name);
    await using resources = new AsyncDisposableStack();
    const sameSource = existing?.source === wanted.source;
    const local = await this.#localSource(wanted.source, sameSource ? existing.etag : null, signal, resources);
    if (local === 'unchanged') return false;
    const file = `${randomUuid()}.advisories`;
    const path = join(this.#deps.directory, file);
    const advisories =
      wanted.mode === 'merge' && existing !== undefined
        ? this.#merged(existing.file, local.path, progress, signal)
        : entriesOf(local.path, progress, signal);
    const footer = await writeAdvisoryFile(path, advisories);
    if (footer.advisoryCount === 0) {
      await rm(path, { force: true });
      throw noAdvisories(wanted.source);
    }
    const values = {
      source: wanted.source,
      file,
      ecosystems: JSON.stringify(footer.ecosystems),
      advisory_count: footer.advisoryCount,
      package_count: footer.packageCount,
      size_bytes: (await stat(path)).size,
      modified_at_ms: footer.modifiedAtMs,
      imported_at_ms: this.#now(),
      etag: local.etag ?? null,
    };
    await this.#deps.database.db
      .insertInto('advisory_feeds')
      .values({ name: wanted.name, ...values })
      .onConflict((conflict) => conflict.column('name').doUpdateSet(values))
      .execute();
    this.#deps.logger.info('Advisories imported', { feed: wanted.name, advisories: footer.advisoryCount });
    await this.#removeReplaced();
    return true;
  }

  /** Forgets a feed; gives whether there was one. */
  async remove(name: string): Promise<boolean> {
    const result = await this.#deps.database.db
      .deleteFrom('advisory_feeds')
      .where('name', '=', name)
      .executeTakeFirst();
    await this.#removeReplaced();
    return result.numDeletedRows > 0n;
  }

  /** Opens the files in force for look-ups. */
  async open(): Promise<AdvisoryLookup & AsyncDisposable> {
    await using opening = new AsyncDisposableStack();
    const files: AdvisoryFile[] = [];
    for (const row of await this.#rows()) {
      files.push(opening.use(await AdvisoryFile.open(join(this.#deps.directory, row.file))));
    }
    const resources = opening.move();
    return {
      find: async (keys) => findInAll(files, [...keys]),
      [Symbol.asyncDispose]: async () => resources.disposeAsync(),
    };
  }

  async #rows(): Promise<readonly Selectable<Schema['advisory_feeds']>[]> {
    return this.#deps.database.db.selectFrom('advisory_feeds').selectAll().orderBy('name').execute();
  }

  async #localSource(
    source: string,
    etag: string | null,
    signal: AbortSignal,
    resources: AsyncDisposableStack,
  ): Promise<{ readonly path: string; readonly etag?: string } | 'unchanged'> {
    if (!/^https?:\/\//i.test(source)) return { path: source };
    const answer = await this.#deps.fetch(source, etag ?? undefined, signal);
    if (answer === 'unchanged') return answer;
    const path = join(this.#deps.directory, `download-${randomUuid()}`);
    resources.defer(async () => rm(path, { force: true }));
    await using file = await open(path, 'wx', 0o640);
    for await (const chunk of bounded(answer.content, source)) {
      signal.throwIfAborted();
      await file.writeFile(chunk);
    }
    return { path, ...(answer.etag === undefined ? {} : { etag: answer.etag }) };
  }

  /** The feed as it is, but for the advisories that the source has, withdrawn ones included. */
  async *#merged(
    file: string,
    source: string,
    progress: FeedProgress,
    signal: AbortSignal,
  ): AsyncGenerator<KeyedAdvisory> {
    const changed = new Set<string>();
    for await (const advisory of readFeed(source, progress)) {
      signal.throwIfAborted();
      changed.add(advisory.id);
      yield* advisory.entries;
    }
    await using old = await AdvisoryFile.open(join(this.#deps.directory, file));
    for await (const [key, advisories] of old.all()) {
      signal.throwIfAborted();
      const [ecosystem = '', name = ''] = key.split('\0');
      for (const advisory of advisories) if (!changed.has(advisory.id)) yield { ecosystem, package: name, advisory };
    }
  }

  async #removeReplaced(): Promise<void> {
    const inForce = new Set((await this.#rows()).map((row) => row.file));
    const files = await readdir(this.#deps.directory).catch(() => []);
    for (const name of files.filter((file) => file.endsWith('.advisories') && !inForce.has(file))) {
      const path = join(this.#deps.directory, name);
      const found = await stat(path).catch(() => undefined);
      if (found !== undefined && found.mtimeMs < this.#now() - KEEP_REPLACED_MS) await rm(path, { force: true });
    }
  }
}

async function* entriesOf(path: string, progress: FeedProgress, signal: AbortSignal): AsyncGenerator<KeyedAdvisory> {
  for await (const advisory of readFeed(path, progress)) {
    signal.throwIfAborted();
    yield* advisory.entries;
  }
}

async function findInAll(
  files: readonly AdvisoryFile[],
  keys: readonly string[],
): Promise<ReadonlyMap<string, readonly PackageAdvisory[]>> {
  const found = new Map<string, PackageAdvisory[]>();
  for (const file of files) {
    for (const [key, advisories] of await file.find(keys)) found.getOrInsertComputed(key, () => []).push(...advisories);
  }
  return found;
}

async function* bounded(content: AsyncIterable<Uint8Array>, source: string): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of content) {
    size += chunk.length;
    if (size > MAX_DOWNLOAD_BYTES) {
      throw new VicError({
        class: 'ResourceExhausted',
        code: 'ADVISORIES_TOO_LARGE',
        message: `${source} is larger than ${MAX_DOWNLOAD_BYTES} bytes.`,
      });
    }
    yield chunk;
  }
}

function feedOf(row: Selectable<Schema['advisory_feeds']>): AdvisoryFeed {
  return {
    id: row.id,
    name: row.name,
    source: row.source,
    ecosystems: JSON.parse(row.ecosystems) as string[],
    advisoryCount: row.advisory_count,
    packageCount: row.package_count,
    sizeBytes: row.size_bytes,
    modifiedAtMs: row.modified_at_ms ?? undefined,
    importedAtMs: row.imported_at_ms,
  };
}

function checkName(name: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9._ -]{0,63}$/.test(name)) return;
  throw new VicError({
    class: 'InvalidArgument',
    code: 'ADVISORIES_NAME_INVALID',
    message: `"${name.slice(0, 64)}" cannot name a feed: use up to 64 letters, digits, dots, dashes and spaces.`,
  });
}

function noAdvisories(source: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'ADVISORIES_NONE',
    message: `${source} holds no advisories in OSV's format for packages that can be judged; what was known stays.`,
    remedy: "Import an ecosystem's all.zip of osv.dev, a directory of OSV files, or one such file.",
  });
}

import { constants, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { open } from 'node:fs/promises';
import { Mutex } from '@vic/async';
import { parseJournalLine } from './journal-line.ts';
import type { JournalLine } from './journal-line.ts';

/** A guest reports a few hundred bytes in its life; one that fills the disk is stopped. */
export const MAX_JOURNAL_BYTES = 4 * 1024 * 1024;
const MAX_LINE_BYTES = 64 * 1024;
const CHUNK_BYTES = 64 * 1024;
const EMPTY = Buffer.alloc(0);
/** Notifications come at once; this is for file systems that lose them. */
const POLL_MS = 1_000;

/** What a journal tells its owner. */
export interface JournalListener {
  onLine(line: JournalLine): void;
  /** The guest wrote more than {@link MAX_JOURNAL_BYTES}. */
  onOverflow(): void;
}

/** Follows the journal a guest appends to. Its content is hostile: lines that make no sense are dropped. */
export class GuestinfoJournal {
  readonly #path: string;
  readonly #listener: JournalListener;
  readonly #lock = new Mutex();
  #position = 0;
  #partial: Buffer = EMPTY;
  #skipping = false;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(path: string, listener: JournalListener) {
    this.#path = path;
    this.#listener = listener;
  }

  /** Reads what is there, from the beginning, and follows from then on. */
  async start(): Promise<void> {
    try {
      this.#watcher = watch(this.#path, { persistent: false }, () => this.#wake());
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch {
      // Out of inotify watches: polling is slower and does the same.
      this.#watcher = undefined;
    }
    this.#timer = setInterval(() => this.#wake(), POLL_MS);
    this.#timer.unref();
    await this.drain();
  }

  /** Reads everything written so far. */
  async drain(): Promise<void> {
    await this.#lock.run(async () => this.#readOn());
  }

  stop(): void {
    this.#watcher?.close();
    clearInterval(this.#timer);
  }

  #wake(): void {
    this.drain().catch(() => undefined);
  }

  async #readOn(): Promise<void> {
    let file;
    try {
      file = await open(this.#path, constants.O_RDONLY | constants.O_NOFOLLOW);
    } catch {
      return;
    }
    await using closing = file;
    const chunk = Buffer.alloc(CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await closing.read(chunk, 0, CHUNK_BYTES, this.#position);
      if (bytesRead === 0) return;
      this.#position += bytesRead;
      this.#split(chunk.subarray(0, bytesRead));
      if (this.#position > MAX_JOURNAL_BYTES) {
        this.stop();
        this.#listener.onOverflow();
        return;
      }
    }
  }

  #split(chunk: Buffer): void {
    let rest = chunk;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      this.#append(rest.subarray(0, end));
      this.#endLine();
      rest = rest.subarray(end + 1);
    }
    this.#append(rest);
  }

  #append(part: Buffer): void {
    if (this.#skipping || part.length === 0) return;
    this.#skipping = this.#partial.length + part.length > MAX_LINE_BYTES;
    if (this.#skipping) this.#partial = EMPTY;
    // Copied: the chunk it is a part of is used again.
    else this.#partial = Buffer.concat([this.#partial, part]);
  }

  #endLine(): void {
    const line = this.#skipping ? EMPTY : this.#partial;
    this.#skipping = false;
    this.#partial = EMPTY;
    const parsed = line.length === 0 ? undefined : parseJournalLine(line.toString('utf8'));
    if (parsed !== undefined) this.#listener.onLine(parsed);
  }
}

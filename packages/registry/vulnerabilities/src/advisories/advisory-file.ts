import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { VicError } from '@vic/errors';
import type { PackageAdvisory } from './advisory.ts';

/**
 * The form of an advisory file: a constant hash table.
 *
 * The magic, then one JSON list of advisories per package; then, for each partition of packages by hash, a JSON
 * index of (key, offset, length); then a JSON footer; then its offset and length and the magic again. A look-up
 * reads one index and one list; the file never changes once it has its name.
 */
export const ADVISORY_MAGIC = Buffer.from('VICADV01', 'latin1');
/** Keeps an index small enough to parse for one look-up with the largest feeds (250,000 packages). */
export const PARTITIONS = 256;
/** Offset (8 bytes), length (4 bytes), magic (8 bytes). */
export const TRAILER_BYTES = 20;
const MAX_BLOCK_BYTES = 256 * 1024 * 1024;

/** What a file says about itself. */
export interface AdvisoryFooter {
  readonly partitions: readonly (readonly [offset: number, length: number])[];
  readonly ecosystems: readonly string[];
  readonly advisoryCount: number;
  readonly packageCount: number;
  readonly modifiedAtMs: number | null;
}

/** One line of a partition's index. */
export type IndexLine = readonly [key: string, offset: number, length: number];

/** The key of a package. */
export function advisoryKey(ecosystem: string, name: string): string {
  return `${ecosystem}\0${name}`;
}

/** The partition a key belongs to. */
export function partitionOf(key: string): number {
  return createHash('sha256').update(key).digest()[0] ?? 0;
}

/** An advisory file opened for look-ups. */
export class AdvisoryFile implements AsyncDisposable {
  readonly footer: AdvisoryFooter;
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle, footer: AdvisoryFooter) {
    this.#handle = handle;
    this.footer = footer;
  }

  /** Opens a file made by `writeAdvisoryFile`. */
  static async open(path: string): Promise<AdvisoryFile> {
    const handle = await open(path, 'r');
    try {
      const { size } = await handle.stat();
      const trailer =
        size < TRAILER_BYTES ? Buffer.alloc(0) : await readAt(handle, size - TRAILER_BYTES, TRAILER_BYTES);
      if (!trailer.subarray(12).equals(ADVISORY_MAGIC)) throw damaged(path);
      const footer = await readAt(handle, Number(trailer.readBigUInt64BE(0)), trailer.readUInt32BE(8));
      return new AdvisoryFile(handle, JSON.parse(footer.toString('utf8')) as AdvisoryFooter);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** The advisories of each of the keys that has any. */
  async find(keys: Iterable<string>): Promise<ReadonlyMap<string, readonly PackageAdvisory[]>> {
    const found = new Map<string, readonly PackageAdvisory[]>();
    const byPartition = Map.groupBy(new Set(keys), partitionOf);
    for (const [partition, wanted] of byPartition) {
      const index = new Map((await this.#index(partition)).map((line) => [line[0], line]));
      for (const key of wanted) {
        const line = index.get(key);
        if (line !== undefined) found.set(key, await this.#list(line));
      }
    }
    return found;
  }

  /** Everything in the file, package by package. */
  async *all(): AsyncGenerator<readonly [key: string, advisories: readonly PackageAdvisory[]], void, undefined> {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      for (const line of await this.#index(partition)) yield [line[0], await this.#list(line)];
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }

  async #index(partition: number): Promise<readonly IndexLine[]> {
    const [offset, length] = this.footer.partitions[partition] ?? [0, 0];
    return length === 0
      ? []
      : (JSON.parse((await readAt(this.#handle, offset, length)).toString('utf8')) as IndexLine[]);
  }

  async #list([, offset, length]: IndexLine): Promise<readonly PackageAdvisory[]> {
    return JSON.parse((await readAt(this.#handle, offset, length)).toString('utf8')) as PackageAdvisory[];
  }
}

async function readAt(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  if (length > MAX_BLOCK_BYTES) throw damaged('the file');
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await handle.read(buffer, 0, length, offset);
  if (bytesRead !== length) throw damaged('the file');
  return buffer;
}

function damaged(path: string): VicError {
  return new VicError({
    class: 'DataLoss',
    code: 'ADVISORIES_DAMAGED',
    message: `The advisories in ${path} cannot be read.`,
    remedy: 'Import the feed again.',
  });
}

import { mkdir, open, readFile, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { randomUuid } from '@vic/ids';
import type { KeyedAdvisory, PackageAdvisory } from './advisory.ts';
import {
  ADVISORY_MAGIC,
  type AdvisoryFooter,
  type IndexLine,
  PARTITIONS,
  TRAILER_BYTES,
  advisoryKey,
  partitionOf,
} from './advisory-file.ts';

/** How much of the advisories waits in memory before it is spilled to the partitions' drafts. */
const SPILL_BYTES = 16 * 1024 * 1024;

/**
 * Makes an advisory file from advisories in any order.
 *
 * They are first spilled by partition, then gathered one partition at a time, so that memory is bounded by the
 * largest of {@link PARTITIONS} parts and not by the feed. The file appears under `path` in one step.
 */
export async function writeAdvisoryFile(
  path: string,
  advisories: AsyncIterable<KeyedAdvisory>,
): Promise<AdvisoryFooter> {
  const drafts = join(dirname(path), `draft-${randomUuid()}`);
  await mkdir(drafts, { recursive: true });
  try {
    const modifiedAtMs = await spill(drafts, advisories);
    const draft = join(drafts, 'file');
    const footer = await assemble(drafts, draft, modifiedAtMs);
    await rename(draft, path);
    return footer;
  } finally {
    await rm(drafts, { recursive: true, force: true });
  }
}

async function spill(drafts: string, advisories: AsyncIterable<KeyedAdvisory>): Promise<number | null> {
  const waiting: string[][] = Array.from({ length: PARTITIONS }, () => []);
  let bytes = 0;
  let modifiedAtMs: number | null = null;
  const flush = async (): Promise<void> => {
    for (const [partition, lines] of waiting.entries()) {
      if (lines.length === 0) continue;
      await using file = await open(join(drafts, String(partition)), 'a');
      await file.writeFile(lines.join(''));
      lines.length = 0;
    }
    bytes = 0;
  };
  for await (const { ecosystem, package: name, advisory } of advisories) {
    const key = advisoryKey(ecosystem, name);
    const line = `${JSON.stringify([key, advisory])}\n`;
    waiting[partitionOf(key)]?.push(line);
    bytes += line.length;
    modifiedAtMs = Math.max(modifiedAtMs ?? 0, advisory.modifiedAtMs);
    if (bytes > SPILL_BYTES) await flush();
  }
  await flush();
  return modifiedAtMs;
}

async function assemble(drafts: string, path: string, modifiedAtMs: number | null): Promise<AdvisoryFooter> {
  await using file = await open(path, 'wx', 0o640);
  const writer = new OffsetWriter(file);
  await writer.write(ADVISORY_MAGIC);
  const [ids, ecosystems] = [new Set<string>(), new Set<string>()];
  const partitions: (readonly [number, number])[] = [];
  let packageCount = 0;
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const index: IndexLine[] = [];
    for (const [key, list] of await gather(join(drafts, String(partition)))) {
      for (const { id } of list) ids.add(id);
      ecosystems.add(key.slice(0, key.indexOf('\0')));
      const content = Buffer.from(JSON.stringify(list));
      index.push([key, await writer.write(content), content.length]);
    }
    packageCount += index.length;
    const content = Buffer.from(JSON.stringify(index));
    partitions.push([await writer.write(content), content.length]);
  }
  const footer = {
    partitions,
    ecosystems: [...ecosystems].toSorted(),
    advisoryCount: ids.size,
    packageCount,
    modifiedAtMs,
  };
  const content = Buffer.from(JSON.stringify(footer));
  const trailer = Buffer.alloc(TRAILER_BYTES);
  trailer.writeBigUInt64BE(BigInt(await writer.write(content)), 0);
  trailer.writeUInt32BE(content.length, 8);
  ADVISORY_MAGIC.copy(trailer, 12);
  await writer.write(trailer);
  await writer.flush();
  await file.datasync();
  return footer;
}

async function gather(path: string): Promise<ReadonlyMap<string, readonly PackageAdvisory[]>> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const lists = new Map<string, PackageAdvisory[]>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [key, advisory] = JSON.parse(line) as [string, PackageAdvisory];
    lists.getOrInsertComputed(key, () => []).push(advisory);
  }
  return lists;
}

/** Writes one piece behind another, many at a time. */
class OffsetWriter {
  readonly #file: FileHandle;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #offset = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Gives where the piece begins. */
  async write(piece: Uint8Array): Promise<number> {
    const start = this.#offset;
    this.#waiting.push(piece);
    this.#waitingBytes += piece.length;
    this.#offset += piece.length;
    if (this.#waitingBytes > 1024 * 1024) await this.flush();
    return start;
  }

  async flush(): Promise<void> {
    await this.#file.writeFile(Buffer.concat(this.#waiting));
    this.#waiting = [];
    this.#waitingBytes = 0;
  }
}

import { isVicError } from '@vic/errors';
import { LogDecoder, findTail } from '@vic/agent-protocol';
import type { LocatedLogRecord } from '@vic/agent-protocol';
import type { LogLine, LogOptions } from '../execution/execution.ts';

/** Files on a datastore, as far as logs are concerned. A file that does not exist yet is empty. */
export interface LogFiles {
  /** Bytes `[start, endExclusive)`; fewer only at the end of the file. */
  read(path: string, start: number, endExclusive: number, signal: AbortSignal): Promise<Uint8Array>;
  size(path: string, signal: AbortSignal): Promise<number>;
}

/** The log of one container and what is known about its writer. */
export interface LogSource {
  readonly path: string;
  /** Whether nothing more will be written until the container is started again. */
  ended(): boolean;
  /** Resolves when more may have been written or the writer may have ended; rejects when the signal fires. */
  changed(signal: AbortSignal): Promise<void>;
  nowNs(): bigint;
}

/** How much is read with one request: large enough to be efficient, small enough to hold for a slow reader. */
const WINDOW_BYTES = 1024 * 1024;

/** Reads a container's output log as Docker's `logs`: tail first, then since, until and stream selection. */
export async function* readLog(
  files: LogFiles,
  source: LogSource,
  options: LogOptions,
  signal: AbortSignal,
): AsyncGenerator<LogLine, void, undefined> {
  let offset = options.tail === undefined ? 0 : await tailOffset(files, source, options.tail, signal);
  const decoder = new LogDecoder(offset);
  for (;;) {
    // Asked before reading: what was written before the end is then certainly read.
    const isLast = !options.follow || source.ended() || isPast(options.untilNs, source.nowNs());
    for (;;) {
      const bytes = await readPart(files, source, offset, { ...options, signal });
      offset += bytes.length;
      for (const record of decoder.push(bytes)) {
        if (isPast(options.untilNs, record.timeNs)) return;
        if (isWanted(record, options)) yield lineOf(record);
      }
      if (bytes.length < WINDOW_BYTES) break;
    }
    if (isLast) break;
    await source.changed(signal);
  }
  for (const record of decoder.finish()) {
    if (!isPast(options.untilNs, record.timeNs) && isWanted(record, options)) yield lineOf(record);
  }
}

/** A follower waits while the datastore is away; everyone else is told. */
async function readPart(
  files: LogFiles,
  source: LogSource,
  offset: number,
  { follow, signal }: { readonly follow: boolean; readonly signal: AbortSignal },
): Promise<Uint8Array> {
  for (;;) {
    try {
      return await files.read(source.path, offset, offset + WINDOW_BYTES, signal);
    } catch (error) {
      if (!follow || !isVicError(error, { class: 'Unavailable' })) throw error;
    }
    await source.changed(signal);
  }
}

async function tailOffset(files: LogFiles, source: LogSource, lines: number, signal: AbortSignal): Promise<number> {
  const sizeBytes = await files.size(source.path, signal);
  const read = async (offset: number, length: number): Promise<Uint8Array> =>
    files.read(source.path, offset, offset + length, signal);
  return lines <= 0 ? sizeBytes : findTail(read, sizeBytes, lines);
}

function isPast(limitNs: bigint | undefined, timeNs: bigint): boolean {
  return limitNs !== undefined && timeNs > limitNs;
}

function isWanted(record: LocatedLogRecord, options: LogOptions): boolean {
  if (options.sinceNs !== undefined && record.timeNs < options.sinceNs) return false;
  return record.stream === 'stderr' ? options.stderr : options.stdout;
}

function lineOf(record: LocatedLogRecord): LogLine {
  return {
    stream: record.stream === 'stderr' ? 'stderr' : 'stdout',
    timeNs: record.timeNs,
    payload: record.payload,
  };
}

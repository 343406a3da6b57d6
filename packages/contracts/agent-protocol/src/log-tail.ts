import {
  LOG_TRAILER_BYTES,
  MAX_LOG_RECORD_BYTES,
  LOG_HEADER_BYTES,
  MAX_LOG_PAYLOAD_BYTES,
  logRecordAt,
} from './log-record.ts';
import type { LocatedLogRecord } from './log-record.ts';

/** Reads bytes of a log; may give fewer than asked only at its end. */
export type LogReader = (offset: number, length: number) => Promise<Uint8Array>;

/** How much is read at once: several of the largest records. */
const WINDOW_BYTES = 8 * MAX_LOG_RECORD_BYTES;

/**
 * The offset at which the last `lines` lines of a log begin.
 *
 * Reads from the end backwards, by the trailing lengths; over a torn record it looks for the next whole one
 * before it. A line is a record that does not go on in a next one, with the partial ones before it.
 */
export async function findTail(read: LogReader, sizeBytes: number, lines: number): Promise<number> {
  let end = sizeBytes;
  let start = sizeBytes;
  let found = 0;
  let lastIsOpen = true;
  while (end > 0) {
    const windowStart = Math.max(0, end - WINDOW_BYTES);
    const bytes = await read(windowStart, end - windowStart);
    let at = bytes.length;
    for (;;) {
      const record = recordBefore(bytes, at, windowStart > 0);
      if (record === undefined) break;
      // The last record counts as a line even when the process never ended it.
      const endsLine = !record.partial || (lastIsOpen && found === 0);
      lastIsOpen = false;
      if (endsLine && ++found > lines) return start;
      start = windowStart + record.offset;
      at = record.offset;
    }
    if (windowStart === 0) return start;
    // Without a record in the window, all but what may be the end of one that began before it is torn.
    end = windowStart + Math.min(at, MAX_LOG_RECORD_BYTES - 1);
  }
  return start;
}

/** The last whole record that ends at or before `end`. */
function recordBefore(bytes: Uint8Array, end: number, moreBefore: boolean): LocatedLogRecord | undefined {
  for (let at = end; at >= LOG_HEADER_BYTES + LOG_TRAILER_BYTES; at--) {
    // A record this near the window's beginning may not be the last before `end` once more is read.
    if (moreBefore && at < MAX_LOG_RECORD_BYTES) return undefined;
    const record = recordEndingAt(bytes, at);
    if (record !== undefined) return record;
  }
  return undefined;
}

function recordEndingAt(bytes: Uint8Array, end: number): LocatedLogRecord | undefined {
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(end - LOG_TRAILER_BYTES, true);
  if (length > MAX_LOG_PAYLOAD_BYTES) return undefined;
  const offset = end - LOG_TRAILER_BYTES - length - LOG_HEADER_BYTES;
  if (offset < 0) return undefined;
  const record = logRecordAt(bytes.subarray(0, end), offset);
  return typeof record === 'string' ? undefined : record;
}

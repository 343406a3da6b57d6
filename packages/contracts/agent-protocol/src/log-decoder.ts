import { LOG_MAGIC, logRecordAt } from './log-record.ts';
import type { LocatedLogRecord } from './log-record.ts';

/**
 * Reads records out of a byte stream, in order.
 *
 * A record torn by a machine that was killed mid-write is skipped: the next whole record after it is found
 * by its magic, its bounds and its trailing length. Holds at most one record and the chunk in hand.
 */
export class LogDecoder {
  #pending: Buffer = Buffer.alloc(0);
  #position: number;

  /** `offset` is where in the log the first pushed byte lies. */
  constructor(offset = 0) {
    this.#position = offset;
  }

  /** The log offset after the last record given: where to go on reading later. */
  get position(): number {
    return this.#position;
  }

  /** Takes more bytes and gives the records they complete. */
  push(chunk: Uint8Array): LocatedLogRecord[] {
    return this.#decode(chunk, false);
  }

  /** Takes the end of the log: what was held back as an incomplete record is torn. */
  finish(): LocatedLogRecord[] {
    return this.#decode(Buffer.alloc(0), true);
  }

  #decode(chunk: Uint8Array, final: boolean): LocatedLogRecord[] {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    const records: LocatedLogRecord[] = [];
    let at = 0;
    while (at < this.#pending.length) {
      const found = logRecordAt(this.#pending, at);
      if (found === 'incomplete' && !final) break;
      if (found === 'none' || found === 'incomplete') {
        at = nextCandidate(this.#pending, at + 1);
        continue;
      }
      records.push({ ...found, offset: this.#position + at });
      at += found.sizeBytes;
    }
    this.#pending = this.#pending.subarray(at);
    this.#position += at;
    return records;
  }
}

/** The next place a record may begin: a magic, or a beginning of one at the end of the bytes. */
function nextCandidate(bytes: Buffer, from: number): number {
  const first = LOG_MAGIC[0] ?? 0;
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (logRecordAt(bytes, at) !== 'none') return at;
  }
  return bytes.length;
}

/** Where a record's bytes came from. */
export type LogStream = 'stdout' | 'stderr' | 'tty';

/** One line of a container's output, or a part of one. */
export interface LogRecord {
  readonly stream: LogStream;
  /** The line goes on in the stream's next record. */
  readonly partial: boolean;
  /** Nanoseconds since 1970. */
  readonly timeNs: bigint;
  /** The bytes, with the line's end. */
  readonly payload: Uint8Array;
}

/** A record and where it lies. */
export interface LocatedLogRecord extends LogRecord {
  readonly offset: number;
  readonly sizeBytes: number;
}

/** Begins every record. */
export const LOG_MAGIC: Uint8Array = Buffer.from('\xf5VL\x01', 'latin1');

/** The longest payload, as that of Docker's log copier; longer lines become partial records. */
export const MAX_LOG_PAYLOAD_BYTES = 16 * 1024;

/** Magic (4), stream (1), flags (1), zero (2), time (8, little-endian), length (4, little-endian). */
export const LOG_HEADER_BYTES = 20;

/** The length once more (4, little-endian), for reading backwards. */
export const LOG_TRAILER_BYTES = 4;

/** The largest record. */
export const MAX_LOG_RECORD_BYTES = LOG_HEADER_BYTES + MAX_LOG_PAYLOAD_BYTES + LOG_TRAILER_BYTES;

const STREAMS: readonly LogStream[] = ['stdout', 'stderr', 'tty'];
const PARTIAL = 1;

/** The bytes of a record. */
export function encodeLogRecord(record: LogRecord): Uint8Array {
  const length = record.payload.length;
  if (length > MAX_LOG_PAYLOAD_BYTES) throw new RangeError(`A log record of ${length} bytes is too large.`);
  const bytes = Buffer.alloc(LOG_HEADER_BYTES + length + LOG_TRAILER_BYTES);
  bytes.set(LOG_MAGIC, 0);
  bytes.writeUInt8(STREAMS.indexOf(record.stream) + 1, 4);
  bytes.writeUInt8(record.partial ? PARTIAL : 0, 5);
  bytes.writeBigUInt64LE(record.timeNs, 8);
  bytes.writeUInt32LE(length, 16);
  bytes.set(record.payload, LOG_HEADER_BYTES);
  bytes.writeUInt32LE(length, LOG_HEADER_BYTES + length);
  return bytes;
}

/** What lies at an offset: a whole record, the beginning of one, or something else. */
export type LogRecordAt = LocatedLogRecord | 'incomplete' | 'none';

/** Reads the record that begins at `offset` of `bytes`. */
export function logRecordAt(bytes: Uint8Array, offset: number): LogRecordAt {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset + offset, bytes.length - offset);
  const known = Math.min(view.length, LOG_MAGIC.length);
  if (view.compare(LOG_MAGIC, 0, known, 0, known) !== 0) return 'none';
  if (view.length < LOG_HEADER_BYTES) return 'incomplete';
  const stream = STREAMS[view.readUInt8(4) - 1];
  const flags = view.readUInt8(5);
  const length = view.readUInt32LE(16);
  if (stream === undefined || flags > PARTIAL || view.readUInt16LE(6) !== 0 || length > MAX_LOG_PAYLOAD_BYTES)
    return 'none';
  const sizeBytes = LOG_HEADER_BYTES + length + LOG_TRAILER_BYTES;
  if (view.length < sizeBytes) return 'incomplete';
  if (view.readUInt32LE(LOG_HEADER_BYTES + length) !== length) return 'none';
  return {
    stream,
    partial: flags === PARTIAL,
    timeNs: view.readBigUInt64LE(8),
    payload: view.subarray(LOG_HEADER_BYTES, LOG_HEADER_BYTES + length),
    offset,
    sizeBytes,
  };
}

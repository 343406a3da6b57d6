/**
 * The blobs of one table of a SQLite file (file format, sqlite.org/fileformat2.html).
 *
 * A reader of our own: the file comes from a tenant, and a database engine is a large thing to give it to. It
 * follows table b-trees only, each page once, so a file that points in circles ends.
 */
export function* sqliteBlobs(file: Buffer, table: string): Generator<Buffer> {
  const database = openFile(file);
  if (database === undefined) return;
  for (const [type, name, , root] of rowsOf(database, 1, new Set())) {
    if (type !== 'table' || name !== table || typeof root !== 'number') continue;
    for (const row of rowsOf(database, root, new Set())) {
      for (const value of row) if (Buffer.isBuffer(value)) yield value;
    }
  }
}

type Value = string | number | Buffer | null;

interface SqliteFile {
  readonly bytes: Buffer;
  readonly pageBytes: number;
  readonly usableBytes: number;
}

const HEADER_BYTES = 100;
const INTERIOR_TABLE = 5;
const LEAF_TABLE = 13;
const MAX_CELL_BYTES = 64 * 1024 * 1024;
const MAX_COLUMNS = 100;

function openFile(bytes: Buffer): SqliteFile | undefined {
  if (bytes.length < HEADER_BYTES || !bytes.toString('latin1', 0, 16).startsWith('SQLite format 3\0')) return undefined;
  const size = bytes.readUInt16BE(16);
  const pageBytes = size === 1 ? 65_536 : size;
  const usableBytes = pageBytes - (bytes[20] ?? 0);
  return pageBytes >= 512 && usableBytes >= 480 ? { bytes, pageBytes, usableBytes } : undefined;
}

function pageAt(file: SqliteFile, page: number): Buffer | undefined {
  const start = (page - 1) * file.pageBytes;
  return page >= 1 && start + file.pageBytes <= file.bytes.length
    ? file.bytes.subarray(start, start + file.pageBytes)
    : undefined;
}

function* rowsOf(file: SqliteFile, root: number, seen: Set<number>): Generator<readonly Value[]> {
  const pending = [root];
  for (let number = pending.pop(); number !== undefined; number = pending.pop()) {
    const page = pageAt(file, number);
    if (page === undefined || seen.has(number)) continue;
    seen.add(number);
    const head = number === 1 ? HEADER_BYTES : 0;
    const kind = page[head];
    if (kind !== INTERIOR_TABLE && kind !== LEAF_TABLE) continue;
    const pointers = head + (kind === INTERIOR_TABLE ? 12 : 8);
    const cells = Math.min(page.readUInt16BE(head + 3), Math.floor((page.length - pointers) / 2));
    if (kind === INTERIOR_TABLE) pending.push(page.readUInt32BE(head + 8));
    for (let index = cells - 1; index >= 0; index--) {
      const at = page.readUInt16BE(pointers + index * 2);
      if (at + 4 > page.length) continue;
      if (kind === INTERIOR_TABLE) pending.push(page.readUInt32BE(at));
      else {
        const record = payloadAt(file, page, at);
        if (record !== undefined) yield valuesOf(record);
      }
    }
  }
}

/** The record of a leaf cell, put together from its overflow pages. */
function payloadAt(file: SqliteFile, page: Buffer, at: number): Buffer | undefined {
  const length = varint(page, at);
  const rowId = varint(page, length.end);
  const [usable, size] = [file.usableBytes, length.value];
  if (size > MAX_CELL_BYTES) return undefined;
  if (size <= usable - 35) return page.subarray(rowId.end, rowId.end + size);
  const minimum = Math.floor(((usable - 12) * 32) / 255) - 23;
  const wanted = minimum + ((size - minimum) % (usable - 4));
  const local = wanted <= usable - 35 ? wanted : minimum;
  const parts = [page.subarray(rowId.end, rowId.end + local)];
  if (rowId.end + local + 4 > page.length) return undefined;
  let next = page.readUInt32BE(rowId.end + local);
  for (let left = size - local; left > 0; left -= usable - 4) {
    const overflow = pageAt(file, next);
    if (overflow === undefined) return undefined;
    parts.push(overflow.subarray(4, 4 + Math.min(left, usable - 4)));
    next = overflow.readUInt32BE(0);
  }
  return Buffer.concat(parts);
}

function valuesOf(record: Buffer): readonly Value[] {
  const header = varint(record, 0);
  const values: Value[] = [];
  let [at, body] = [header.end, header.value];
  while (at < header.value && at < record.length && values.length < MAX_COLUMNS) {
    const type = varint(record, at);
    at = type.end;
    const bytes = bytesOf(type.value);
    if (body + bytes > record.length) break;
    values.push(valueOf(type.value, record.subarray(body, body + bytes)));
    body += bytes;
  }
  return values;
}

function bytesOf(type: number): number {
  if (type >= 12) return Math.floor((type - 12) / 2);
  return [0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0][type] ?? 0;
}

function valueOf(type: number, bytes: Buffer): Value {
  if (type >= 12) return type % 2 === 0 ? bytes : bytes.toString('utf8');
  if (type === 8 || type === 9) return type - 8;
  if (type >= 1 && type <= 5) return bytes.readIntBE(0, bytes.length);
  return null;
}

function varint(bytes: Buffer, start: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let index = 0; index < 9; index++) {
    const byte = bytes[start + index] ?? 0;
    if (index === 8) return { value: value * 256 + byte, end: start + 9 };
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return { value, end: start + index + 1 };
  }
  return { value, end: start + 9 };
}

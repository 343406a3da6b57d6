import { inflateRawSync } from 'node:zlib';

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_ENTRY = 0x04034b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const MAX_COMMENT_BYTES = 65_535;
const MAX_ENTRIES = 200_000;

/** One file of a zip archive held in memory. */
export interface ZipEntry {
  readonly name: string;
  readonly sizeBytes: number;
  readonly compressedBytes: number;
  readonly method: number;
  readonly offset: number;
}

/** The files of a zip archive, from its central directory; none when it is damaged. */
export function zipEntries(zip: Buffer): readonly ZipEntry[] {
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end === -1 || end < zip.length - END_BYTES - MAX_COMMENT_BYTES || end + END_BYTES > zip.length) return [];
  if (zip.readUInt32LE(end) !== END_OF_DIRECTORY) return [];
  const entries: ZipEntry[] = [];
  let at = zip.readUInt32LE(end + 16);
  const count = Math.min(zip.readUInt16LE(end + 10), MAX_ENTRIES);
  while (entries.length < count && at + ENTRY_BYTES <= zip.length && zip.readUInt32LE(at) === DIRECTORY_ENTRY) {
    const nameLength = zip.readUInt16LE(at + 28);
    entries.push({
      name: zip.toString('utf8', at + ENTRY_BYTES, at + ENTRY_BYTES + nameLength),
      method: zip.readUInt16LE(at + 10),
      compressedBytes: zip.readUInt32LE(at + 20),
      sizeBytes: zip.readUInt32LE(at + 24),
      offset: zip.readUInt32LE(at + 42),
    });
    at += ENTRY_BYTES + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return entries;
}

/** The content of a file of at most `limitBytes`; `undefined` when it is larger, damaged or packed another way. */
export function zipContent(zip: Buffer, entry: ZipEntry, limitBytes: number): Buffer | undefined {
  const { offset } = entry;
  if (entry.sizeBytes > limitBytes || offset + LOCAL_BYTES > zip.length) return undefined;
  if (zip.readUInt32LE(offset) !== LOCAL_ENTRY) return undefined;
  const start = offset + LOCAL_BYTES + zip.readUInt16LE(offset + 26) + zip.readUInt16LE(offset + 28);
  const packed = zip.subarray(start, start + entry.compressedBytes);
  if (packed.length !== entry.compressedBytes) return undefined;
  if (entry.method === 0) return packed;
  if (entry.method !== 8) return undefined;
  try {
    return inflateRawSync(packed, { maxOutputLength: limitBytes });
  } catch {
    return undefined;
  }
}

import { type FileHandle, open } from 'node:fs/promises';
import { inflateRawSync } from 'node:zlib';
import { VicError } from '@vic/errors';

const END_BYTES = 22;
const MAX_COMMENT_BYTES = 65_535;
const LOCATOR_BYTES = 20;
const END_64_BYTES = 56;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_ENTRY = 0x04034b50;
/** The directory of a zip with two million names. */
const MAX_DIRECTORY_BYTES = 256 * 1024 * 1024;

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly compressedBytes: number;
  readonly offset: number;
}

/** The files of a zip archive on disk, one after another, each of at most `limitBytes`; zip64 directories included. */
export async function* readZipFile(
  path: string,
  limitBytes: number,
): AsyncGenerator<
  { readonly name: string; readonly content: Buffer; readonly index: number; readonly count: number },
  void,
  undefined
> {
  await using file = await open(path, 'r');
  const entries = await readDirectory(file, path);
  for (const [index, entry] of entries.entries()) {
    if (entry.name.endsWith('/')) continue;
    yield { name: entry.name, content: await contentOf(file, entry, limitBytes, path), index, count: entries.length };
  }
}

async function readDirectory(file: FileHandle, path: string): Promise<readonly Entry[]> {
  const { size } = await file.stat();
  const tail = await readAt(file, Math.max(0, size - END_BYTES - MAX_COMMENT_BYTES - LOCATOR_BYTES), size, path);
  const end = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end === -1 || end + END_BYTES > tail.length) throw damaged(path, 'has no directory');
  let [bytes, offset] = [tail.readUInt32LE(end + 12), tail.readUInt32LE(end + 16)];
  const locator = end - LOCATOR_BYTES;
  if (locator >= 0 && tail.readUInt32LE(locator) === 0x07064b50) {
    const at = Number(tail.readBigUInt64LE(locator + 8));
    const end64 = await readAt(file, at, at + END_64_BYTES, path);
    [bytes, offset] = [Number(end64.readBigUInt64LE(40)), Number(end64.readBigUInt64LE(48))];
  }
  if (bytes > MAX_DIRECTORY_BYTES) throw damaged(path, 'has too large a directory');
  return parseDirectory(await readAt(file, offset, offset + bytes, path));
}

function parseDirectory(directory: Buffer): readonly Entry[] {
  const entries: Entry[] = [];
  let at = 0;
  while (at + ENTRY_BYTES <= directory.length && directory.readUInt32LE(at) === DIRECTORY_ENTRY) {
    const nameBytes = directory.readUInt16LE(at + 28);
    entries.push({
      name: directory.toString('utf8', at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes),
      method: directory.readUInt16LE(at + 10),
      compressedBytes: directory.readUInt32LE(at + 20),
      offset: directory.readUInt32LE(at + 42),
    });
    at += ENTRY_BYTES + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return entries;
}

async function contentOf(file: FileHandle, entry: Entry, limitBytes: number, path: string): Promise<Buffer> {
  if (entry.compressedBytes > limitBytes) throw damaged(path, `holds ${entry.name}, which is too large`);
  const head = await readAt(file, entry.offset, entry.offset + LOCAL_BYTES, path);
  if (head.readUInt32LE(0) !== LOCAL_ENTRY) throw damaged(path, `is damaged at ${entry.name}`);
  const start = entry.offset + LOCAL_BYTES + head.readUInt16LE(26) + head.readUInt16LE(28);
  const packed = await readAt(file, start, start + entry.compressedBytes, path);
  if (entry.method === 0) return packed;
  if (entry.method !== 8) throw damaged(path, `packs ${entry.name} in a way that is not supported`);
  try {
    return inflateRawSync(packed, { maxOutputLength: limitBytes });
  } catch (cause) {
    throw damaged(path, `holds ${entry.name}, which is damaged or too large`, cause);
  }
}

async function readAt(file: FileHandle, start: number, end: number, path: string): Promise<Buffer> {
  const buffer = Buffer.alloc(Math.max(0, Math.min(end - start, MAX_DIRECTORY_BYTES)));
  const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
  if (bytesRead < buffer.length && end <= (await file.stat()).size) throw damaged(path, 'ends early');
  return buffer.subarray(0, bytesRead);
}

function damaged(path: string, reason: string, cause?: unknown): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'ADVISORIES_ZIP_DAMAGED',
    message: `The archive ${path} ${reason}.`,
    ...(cause === undefined ? {} : { cause }),
  });
}

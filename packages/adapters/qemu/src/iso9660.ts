import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { VicError } from '@vic/errors';
import { directoryRecords } from './iso9660-directory.ts';
import type { IsoRecord } from './iso9660-directory.ts';

const SECTOR_BYTES = 2048;
/** Volume descriptors start here (ECMA-119, 6.2.1). */
const FIRST_DESCRIPTOR = 16;
const MAX_DESCRIPTORS = 32;
/** A folder of a boot image has a handful of entries. */
const MAX_DIRECTORY_BYTES = 1024 * 1024;
const MAX_DEPTH = 8;
const DIGEST_CHUNK_BYTES = 1024 * 1024;

/** Reads files out of an ISO 9660 image, by their Rock Ridge names. The image may be hostile. */
export class IsoImage implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #root: IsoRecord;
  readonly #sizeBytes: number;

  private constructor(file: FileHandle, root: IsoRecord, sizeBytes: number) {
    this.#file = file;
    this.#root = root;
    this.#sizeBytes = sizeBytes;
  }

  /** Opens an image and finds its root folder. */
  static async open(path: string): Promise<IsoImage> {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      return new IsoImage(file, await findRoot(file, path), size);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** The content of a file, or `undefined` when there is none of that name. */
  async read(path: string, maxBytes: number): Promise<Buffer | undefined> {
    const names = path.split('/').filter((name) => name !== '');
    if (names.length > MAX_DEPTH) return undefined;
    let current: IsoRecord | undefined = this.#root;
    for (const name of names) {
      if (current?.directory !== true) return undefined;
      const records: readonly IsoRecord[] = directoryRecords(await this.#extent(current, MAX_DIRECTORY_BYTES));
      current = records.find((record) => record.name.toLowerCase() === name.toLowerCase());
    }
    if (current === undefined || current.directory) return undefined;
    return this.#extent(current, maxBytes);
  }

  /** SHA-256 of the whole image, in hexadecimal. */
  async digest(): Promise<string> {
    const hash = createHash('sha256');
    const chunk = Buffer.alloc(DIGEST_CHUNK_BYTES);
    for (let position = 0; ;) {
      const { bytesRead } = await this.#file.read(chunk, 0, chunk.length, position);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(chunk.subarray(0, bytesRead));
      position += bytesRead;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  async #extent(record: IsoRecord, maxBytes: number): Promise<Buffer> {
    const offset = record.sector * SECTOR_BYTES;
    if (record.sizeBytes > maxBytes) throw badImage(`${record.name || 'a folder'} is larger than ${maxBytes} bytes`);
    if (offset + record.sizeBytes > this.#sizeBytes) throw badImage(`${record.name || 'a folder'} lies outside of it`);
    const content = Buffer.alloc(record.sizeBytes);
    const { bytesRead } = await this.#file.read(content, 0, content.length, offset);
    if (bytesRead !== content.length) throw badImage('it ends too early');
    return content;
  }
}

async function findRoot(file: FileHandle, path: string): Promise<IsoRecord> {
  const sector = Buffer.alloc(SECTOR_BYTES);
  for (let index = 0; index < MAX_DESCRIPTORS; index++) {
    const { bytesRead } = await file.read(sector, 0, SECTOR_BYTES, (FIRST_DESCRIPTOR + index) * SECTOR_BYTES);
    if (bytesRead < SECTOR_BYTES || sector.toString('latin1', 1, 6) !== 'CD001' || sector[0] === 255) break;
    // The primary descriptor holds the root folder's record (ECMA-119, 8.4.18).
    if (sector[0] === 1)
      return { name: '', directory: true, sector: sector.readUInt32LE(158), sizeBytes: sector.readUInt32LE(166) };
  }
  throw badImage(`${path} is not an ISO 9660 image`);
}

function badImage(why: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'ISO_INVALID',
    message: `The ISO image cannot be read: ${why}.`,
    remedy: 'Build or upload the bootstrap image again.',
  });
}

import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
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

/** Where an image is: a file, or something far away that is read in parts. */
export interface IsoSource {
  readonly sizeBytes: number;
  /** Up to `length` bytes at a position; fewer at the end. */
  read(position: number, length: number): Promise<Uint8Array>;
}

/** Reads files out of an ISO 9660 image, by their Rock Ridge names. The image may be hostile. */
export class IsoImage implements AsyncDisposable {
  readonly #source: IsoSource;
  readonly #root: IsoRecord;
  readonly #close: () => Promise<void>;

  private constructor(source: IsoSource, root: IsoRecord, close: () => Promise<void>) {
    this.#source = source;
    this.#root = root;
    this.#close = close;
  }

  /** Opens an image and finds its root folder. */
  static async open(path: string): Promise<IsoImage> {
    const file = await open(path, 'r');
    try {
      const source: IsoSource = {
        sizeBytes: (await file.stat()).size,
        read: async (position, length) => {
          const bytes = Buffer.alloc(length);
          return bytes.subarray(0, (await file.read(bytes, 0, length, position)).bytesRead);
        },
      };
      return new IsoImage(source, await findRoot(source, path), async () => file.close());
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** As {@link open}, for an image that is read by `source`; `name` is for errors. */
  static async over(source: IsoSource, name: string): Promise<IsoImage> {
    return new IsoImage(source, await findRoot(source, name), async () => undefined);
  }

  /** The content of a file, or `undefined` when there is none of that name. */
  async read(path: string, maxBytes: number): Promise<Buffer | undefined> {
    const record = await this.#find(path);
    return record === undefined ? undefined : this.#extent(record, maxBytes);
  }

  /** The first bytes of a file, or `undefined` when there is none of that name. */
  async readStart(path: string, bytes: number): Promise<Buffer | undefined> {
    const record = await this.#find(path);
    if (record === undefined) return undefined;
    return this.#extent({ ...record, sizeBytes: Math.min(record.sizeBytes, bytes) }, bytes);
  }

  async #find(path: string): Promise<IsoRecord | undefined> {
    const names = path.split('/').filter((name) => name !== '');
    if (names.length > MAX_DEPTH) return undefined;
    let current: IsoRecord | undefined = this.#root;
    for (const name of names) {
      if (current?.directory !== true) return undefined;
      const records: readonly IsoRecord[] = directoryRecords(await this.#extent(current, MAX_DIRECTORY_BYTES));
      current = records.find((record) => record.name.toLowerCase() === name.toLowerCase());
    }
    return current === undefined || current.directory ? undefined : current;
  }

  /** SHA-256 of the whole image, in hexadecimal. */
  async digest(): Promise<string> {
    const hash = createHash('sha256');
    for (let position = 0; ;) {
      const chunk = await this.#source.read(position, DIGEST_CHUNK_BYTES);
      if (chunk.length === 0) return hash.digest('hex');
      hash.update(chunk);
      position += chunk.length;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  async #extent(record: IsoRecord, maxBytes: number): Promise<Buffer> {
    const offset = record.sector * SECTOR_BYTES;
    if (record.sizeBytes > maxBytes) throw badImage(`${record.name || 'a folder'} is larger than ${maxBytes} bytes`);
    if (offset + record.sizeBytes > this.#source.sizeBytes)
      throw badImage(`${record.name || 'a folder'} lies outside of it`);
    const content = await this.#source.read(offset, record.sizeBytes);
    if (content.length !== record.sizeBytes) throw badImage('it ends too early');
    return bufferOf(content);
  }
}

async function findRoot(source: IsoSource, path: string): Promise<IsoRecord> {
  for (let index = 0; index < MAX_DESCRIPTORS; index++) {
    const sector = bufferOf(await source.read((FIRST_DESCRIPTOR + index) * SECTOR_BYTES, SECTOR_BYTES));
    if (sector.length < SECTOR_BYTES || sector.toString('latin1', 1, 6) !== 'CD001' || sector[0] === 255) break;
    // The primary descriptor holds the root folder's record (ECMA-119, 8.4.18).
    if (sector[0] === 1)
      return { name: '', directory: true, sector: sector.readUInt32LE(158), sizeBytes: sector.readUInt32LE(166) };
  }
  throw badImage(`${path} is not an ISO 9660 image`);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function badImage(why: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'ISO_INVALID',
    message: `The ISO image cannot be read: ${why}.`,
    remedy: 'Build or upload the bootstrap image again.',
  });
}

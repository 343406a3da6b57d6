import { VicError, isVicError } from '@vic/errors';
import { randomUuid } from '@vic/ids';
import { parseDatastorePath } from '@vic/vim-client';
import type { DatastoreFiles as VimFiles } from '@vic/vim-client';
import type { LogFiles } from '../logging/index.ts';
import type { DatastoreFiles } from '../storage/index.ts';

/** A metadata file of an image is small; anything larger is not one of ours. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** The VCH's files below its folder on the datastore. */
export class VimDatastoreFiles implements DatastoreFiles {
  readonly #files: VimFiles;
  readonly #folder: string;

  /** `folder` is relative to the datastore's root. */
  constructor(files: VimFiles, folder: string) {
    this.#files = files;
    this.#folder = folder;
  }

  async read(path: string, signal?: AbortSignal): Promise<Buffer | undefined> {
    try {
      const chunks: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of await this.#files.read(this.#at(path), withSignal(signal))) {
        size += chunk.length;
        if (size > MAX_FILE_BYTES) throw tooLarge(path);
        chunks.push(chunk);
      }
      return Buffer.concat(chunks);
    } catch (error) {
      if (isVicError(error, { class: 'NotFound' })) return undefined;
      throw error;
    }
  }

  /** Written beside and moved into place: a move is what servers do in one step. */
  async write(path: string, content: string | Uint8Array, signal?: AbortSignal): Promise<void> {
    const target = this.#at(path);
    const temporary = `${target}.${randomUuid()}.part`;
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    try {
      await this.#files.write(temporary, bytes, withSignal(signal));
      await this.#files.move(temporary, target, { force: true, ...withSignal(signal) });
    } catch (error) {
      await this.#files.delete(temporary).catch(() => undefined);
      throw error;
    }
  }

  async list(path: string, signal?: AbortSignal): Promise<readonly string[]> {
    try {
      return (await this.#files.list(this.#at(path), signal)).map((entry) => entry.name);
    } catch (error) {
      if (isVicError(error, { class: 'NotFound' })) return [];
      throw error;
    }
  }

  async delete(path: string, signal?: AbortSignal): Promise<void> {
    await this.#files.delete(this.#at(path), signal);
  }

  async makeDirectory(path: string, signal?: AbortSignal): Promise<void> {
    await this.#files.makeDirectory(this.#at(path), signal);
  }

  #at(path: string): string {
    if (path.startsWith('/') || path.split('/').includes('..')) throw outside(path);
    return path === '' ? this.#folder : `${this.#folder}/${path}`;
  }
}

/** The output logs of containers, by datastore path, read in parts. */
export class VimLogFiles implements LogFiles {
  readonly #files: VimFiles;

  constructor(files: VimFiles) {
    this.#files = files;
  }

  async read(path: string, start: number, endExclusive: number, signal: AbortSignal): Promise<Uint8Array> {
    if (endExclusive <= start) return new Uint8Array();
    const relative = parseDatastorePath(path).path;
    try {
      const chunks: Uint8Array[] = [];
      const range = { startByte: start, endByte: endExclusive, signal };
      for await (const chunk of await this.#files.read(relative, range)) chunks.push(chunk);
      return Buffer.concat(chunks);
    } catch (error) {
      // Nothing written yet, or nothing beyond what was read: both are an empty part.
      if (isVicError(error, { class: 'NotFound' }) || isEndOfFile(error)) return new Uint8Array();
      throw error;
    }
  }

  async size(path: string, signal: AbortSignal): Promise<number> {
    return (await this.#files.head(parseDatastorePath(path).path, signal))?.sizeBytes ?? 0;
  }
}

/** HTTP status 416 is how a server says that a range begins at or behind the end. */
function isEndOfFile(error: unknown): boolean {
  return isVicError(error, { code: 'VIM_HTTP_STATUS' }) && error.message.endsWith(' 416.');
}

function withSignal(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

function tooLarge(path: string): VicError {
  return new VicError({
    class: 'ResourceExhausted',
    code: 'DATASTORE_FILE_TOO_LARGE',
    message: `The file ${path} on the datastore is larger than ${MAX_FILE_BYTES} bytes, which none of ours is.`,
  });
}

function outside(path: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'DATASTORE_PATH_OUTSIDE',
    message: `The path "${path}" leaves the folder of the virtual container host.`,
  });
}

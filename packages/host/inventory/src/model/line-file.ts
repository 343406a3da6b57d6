import { readFile, rename, truncate } from 'node:fs/promises';
import { type FileHandle, open } from 'node:fs/promises';

const NEWLINE = 0x0a;

/**
 * A file of lines that only grows at its end, readable by its owner only.
 *
 * Lines are written in the order they were handed over, many at once when they come fast. A process that is
 * killed loses at most what it handed over last; a line that was cut off is dropped when the file is opened.
 */
export class LineFile implements AsyncDisposable {
  readonly #path: string;
  #file: FileHandle;
  /** Lines that go into the next write together; undefined when a new one has to be queued. */
  #batch: string[] | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  /** Opens the file, made when it is new; gives the lines it has. */
  static async open(path: string): Promise<{ readonly file: LineFile; readonly lines: readonly string[] }> {
    const lines = await readLines(path, { truncateTail: true });
    return { file: new LineFile(path, await openForAppend(path)), lines };
  }

  /** Appends a line, which has no newline in it; resolves when a kill cannot lose it any more. */
  async append(line: string): Promise<void> {
    if (this.#batch === undefined) {
      const batch: string[] = [];
      this.#batch = batch;
      this.#queue(async () => {
        if (this.#batch === batch) this.#batch = undefined;
        await this.#file.appendFile(batch.join(''));
      });
    }
    this.#batch.push(`${line}\n`);
    await this.#writing;
  }

  /** Empties the file, after moving its content to `oldPath` when that is given. */
  async startOver(oldPath?: string): Promise<void> {
    this.#batch = undefined;
    this.#queue(async () => {
      if (oldPath === undefined) return this.#file.truncate(0);
      await rename(this.#path, oldPath);
      await this.#file.close();
      this.#file = await openForAppend(this.#path);
    });
    await this.#writing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing.catch(() => undefined);
    await this.#file.close();
  }

  #queue(step: () => Promise<void>): void {
    this.#writing = this.#writing.catch(() => undefined).then(step);
  }
}

/** The complete lines of a file; none when it does not exist. */
export async function readLines(path: string, options: { readonly truncateTail: boolean }): Promise<readonly string[]> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  });
  const end = bytes.lastIndexOf(NEWLINE) + 1;
  if (options.truncateTail && end < bytes.length) await truncate(path, end);
  return end === 0 ? [] : bytes.toString('utf8', 0, end - 1).split('\n');
}

async function openForAppend(path: string): Promise<FileHandle> {
  return open(path, 'a', 0o600);
}

import { randomBytes } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { VicError } from '@vic/errors';
import { replaceFile } from '@vic/files';
import { acquireLockFile } from '@vic/process';
import { KEY_BYTES, type KeyRing, formatKeyRing, parseKeyRing } from './key-ring.ts';

/**
 * The steps in which the key in a file is replaced by another. Each is one durable replacement of the file, and can
 * be made again after it was cut off:
 *
 * - {@link prepare}: the file has the next key, too; copied elsewhere, others can open what it will seal;
 * - {@link promote}: it seals with the next key, made now unless it was prepared, and opens with the one before;
 * - {@link forget}: it has the new key only.
 */
export class KeyRotation implements AsyncDisposable {
  readonly #path: string;
  readonly #lock: AsyncDisposable;

  private constructor(path: string, lock: AsyncDisposable) {
    this.#path = path;
    this.#lock = lock;
  }

  /** Begins to work on a key file; `Conflict` while another process does. */
  static async begin(path: string): Promise<KeyRotation> {
    const lock = await acquireLockFile(lockOf(path));
    if (lock !== undefined) return new KeyRotation(path, lock);
    throw new VicError({
      class: 'Conflict',
      code: 'SECRET_ROTATION_RUNS',
      message: `The key ${path} is being rotated by another process.`,
      remedy: `Wait for it to end. If there is none on any machine, remove ${lockOf(path)}.`,
    });
  }

  /** Adds the key that the next rotation seals with, unless it is there. */
  async prepare(): Promise<void> {
    const ring = await this.#read();
    if (ring.previous !== undefined) throw unfinished(this.#path);
    if (ring.next === undefined) await this.#write({ ...ring, next: randomBytes(KEY_BYTES) });
  }

  /** Seals with the next key from now on; goes on with a rotation that was begun. */
  async promote(): Promise<void> {
    const { current, next, previous } = await this.#read();
    if (previous === undefined) await this.#write({ current: next ?? randomBytes(KEY_BYTES), previous: current });
  }

  /** Removes the key from before; what is still sealed with it is lost. */
  async forget(): Promise<void> {
    const { current, next } = await this.#read();
    await this.#write({ current, ...(next === undefined ? {} : { next }) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lock[Symbol.asyncDispose]();
  }

  async #read(): Promise<KeyRing> {
    return parseKeyRing(await readFile(this.#path), this.#path);
  }

  async #write(ring: KeyRing): Promise<void> {
    await replaceFile(this.#path, formatKeyRing(ring), { mode: 0o600, durable: true });
    // The name, too, has to outlive a power failure: what is sealed next needs this very file.
    await using directory = await open(dirname(this.#path), 'r');
    await directory.sync();
  }
}

function lockOf(path: string): string {
  return `${path}.rotation`;
}

function unfinished(path: string): VicError {
  return new VicError({
    class: 'FailedPrecondition',
    code: 'SECRET_ROTATION_UNFINISHED',
    message: `A rotation of ${path} was begun and has not ended.`,
    remedy: 'End it first: registry keys rotate secrets --finish',
  });
}

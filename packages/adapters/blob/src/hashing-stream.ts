import { Transform, type TransformCallback } from 'node:stream';
import { type ContentDigest, hexOf } from '@vic/oci';
import { hashFor } from './blob-hash.ts';

/** What a {@link HashingStream} reports to. */
export interface HashingStreamOptions {
  readonly digest: ContentDigest;
  readonly sizeBytes: number;
  /** Called once all content was seen and has the digest, before its last chunk is handed on. */
  readonly onSound: () => void;
  /** Called once all content was seen and has another; gives what the stream fails with. */
  readonly onDamaged: () => Promise<Error>;
}

/** Hands content on while hashing it, the last chunk only once the digest is known to be right. */
export class HashingStream extends Transform {
  readonly #options: HashingStreamOptions;
  readonly #hash;
  #seenBytes = 0;

  constructor(options: HashingStreamOptions) {
    super();
    this.#options = options;
    this.#hash = hashFor(options.digest);
  }

  override _transform(chunk: Uint8Array, _encoding: BufferEncoding, callback: TransformCallback): void {
    this.#hash.update(chunk);
    this.#seenBytes += chunk.length;
    if (this.#seenBytes < this.#options.sizeBytes) callback(null, chunk);
    else this.#finish(() => callback(null, chunk), callback);
  }

  override _flush(callback: TransformCallback): void {
    // An empty blob has no last chunk, and one that broke off was not damaged where it is stored.
    if (this.#options.sizeBytes === 0) this.#finish(() => callback(), callback);
    else if (this.#seenBytes < this.#options.sizeBytes) callback(new Error('the content broke off'));
    else callback();
  }

  #finish(sound: () => void, fail: (error: Error) => void): void {
    const { digest, onSound, onDamaged } = this.#options;
    if (this.#hash.digest('hex') === hexOf(digest)) {
      onSound();
      sound();
      return;
    }
    onDamaged().then(fail, fail);
  }
}

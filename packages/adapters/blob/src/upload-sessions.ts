import { type Hash, createHash } from 'node:crypto';
import { Mutex } from '@vic/async';
import { VicError } from '@vic/errors';
import type { DigestAlgorithm } from '@vic/oci';

/** What this process knows of an upload that nobody can read from the store. */
export interface UploadSession<S> {
  readonly algorithm: DigestAlgorithm;
  /** The hash of the first `hashedBytes` bytes. */
  readonly hash: Hash;
  hashedBytes: number;
  /** Whatever else the store remembers. */
  state: S;
}

interface Turn {
  readonly abort: AbortController;
}

/** A session is small (a hash's state); past this many the oldest are forgotten and their uploads read again. */
const MAX_SESSIONS = 10_000;

/** The uploads this process works on: their running hashes, and one operation at a time for each. */
export class UploadSessions<S = undefined> {
  readonly #sessions = new Map<string, UploadSession<S>>();
  readonly #turns = new Map<string, { readonly mutex: Mutex; users: number; current: Turn | undefined }>();

  /** Starts hashing an upload that has no bytes yet. */
  begin(id: string, algorithm: DigestAlgorithm, state: S): void {
    this.#sessions.set(id, { algorithm, hash: createHash(algorithm), hashedBytes: 0, state });
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size > MAX_SESSIONS && oldest !== undefined) this.#sessions.delete(oldest);
  }

  /** What is known of an upload that only this process has written to. */
  get(id: string): UploadSession<S> | undefined {
    return this.#sessions.get(id);
  }

  /** The upload's bytes are no longer those that were hashed, or it has ended. */
  forget(id: string): void {
    this.#sessions.delete(id);
  }

  /**
   * Runs `operation` alone among those of the upload; one that is under way is ended first, as its client must have
   * gone for another to come.
   */
  async run<T>(
    id: string,
    signal: AbortSignal | undefined,
    operation: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const turns = this.#turns.get(id) ?? { mutex: new Mutex(), users: 0, current: undefined };
    this.#turns.set(id, turns);
    turns.users++;
    turns.current?.abort.abort(superseded(id));
    try {
      return await turns.mutex.run(async () => {
        signal?.throwIfAborted();
        const abort = new AbortController();
        const onAbort = (): void => abort.abort(signal?.reason);
        signal?.addEventListener('abort', onAbort, { once: true });
        turns.current = { abort };
        try {
          return await operation(abort.signal);
        } finally {
          turns.current = undefined;
          signal?.removeEventListener('abort', onAbort);
        }
      });
    } finally {
      if (--turns.users === 0) this.#turns.delete(id);
    }
  }
}

/** Another request, here or in another process, has the upload now. */
export function superseded(id: string): VicError {
  return new VicError({
    class: 'Conflict',
    code: 'BLOB_UPLOAD_SUPERSEDED',
    message: `Upload ${id} was taken over by a later request.`,
  });
}

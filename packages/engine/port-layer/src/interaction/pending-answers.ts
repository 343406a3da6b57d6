import { VicError } from '@vic/errors';

const MAX_REQUEST = 0xffff_ffff;

/** The requests under way on a connection, by their number. */
export class PendingAnswers {
  readonly #pending = new Map<number, PromiseWithResolvers<void>>();
  #last = 0;

  /** A new request: its number, and what settles with its answer. */
  open(): { readonly request: number; readonly answer: Promise<void> } {
    this.#last = (this.#last % MAX_REQUEST) + 1;
    const resolvers = Promise.withResolvers<void>();
    resolvers.promise.catch(() => undefined);
    this.#pending.set(this.#last, resolvers);
    return { request: this.#last, answer: resolvers.promise };
  }

  /** Takes an answer; one nobody waits for any more is dropped. */
  settle(request: number, error: string | undefined): void {
    const pending = this.#pending.get(request);
    this.#pending.delete(request);
    if (error === undefined) pending?.resolve();
    else
      pending?.reject(
        new VicError({ class: 'Conflict', code: 'TETHER_REFUSED', message: `The container refuses: ${error}.` }),
      );
  }

  /** Nobody waits for the request any more. */
  forget(request: number): void {
    this.#pending.delete(request);
  }

  /** No answer will come. */
  fail(error: Error): void {
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }
}

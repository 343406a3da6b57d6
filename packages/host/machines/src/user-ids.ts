import { VicError } from '@vic/errors';

/** More machines than one host runs. */
const RANGE = 20_000;

/** Hands out user ids, one per machine that is running or frozen. */
export class UserIds {
  /** Group of all machines: it may read the image layers, and nothing else. */
  readonly commonGroup: number;
  readonly #base: number;
  readonly #taken = new Set<number>();
  #next = 0;

  /** The base itself is left to {@link commonGroup}. */
  constructor(base: number) {
    this.#base = base + 1;
    this.commonGroup = base;
  }

  /** An id nobody has. The one freed last is reused last: files of its former owner are long gone by then. */
  allocate(): number {
    for (let tries = 0; tries < RANGE; tries++) {
      const uid = this.#base + (this.#next++ % RANGE);
      if (this.#taken.has(uid)) continue;
      this.#taken.add(uid);
      return uid;
    }
    throw new VicError({
      class: 'ResourceExhausted',
      code: 'MACHINE_TOO_MANY',
      message: `This host already runs ${RANGE} machines.`,
    });
  }

  /** Marks an id as taken, when machines are adopted. */
  reserve(uid: number): void {
    this.#taken.add(uid);
  }

  release(uid: number): void {
    this.#taken.delete(uid);
  }
}

import type { ManagedTypeName } from '@vic/vim';
import type { Changes } from '../model/changes.ts';
import { invalidArgument } from '../model/faults.ts';
import { ManagedObject } from '../model/managed-object.ts';
import type { Session } from '../server/sessions.ts';

const DEFAULT_PAGE_SIZE = 10;
const MAX_PAGE_SIZE = 1000;

/**
 * A window over a growing list, read forwards and backwards, with the latest items at hand.
 *
 * The position is remembered by the items' own numbers, so that items which are forgotten at the old end do
 * not move it.
 */
export abstract class HistoryCollector<T> extends ManagedObject implements Disposable {
  readonly #session: Session;
  readonly #filter: unknown;
  #pageSize = DEFAULT_PAGE_SIZE;
  /** Items up to this number have been read. */
  #position = 0;
  protected release: () => void = () => undefined;

  constructor(type: ManagedTypeName, value: string, changes: Changes, session: Session, filter: unknown) {
    super(type, value, changes);
    this.#session = session;
    this.#filter = filter;
  }

  protected readonly properties = {
    filter: () => this.#filter,
    latestPage: () => this.matching().slice(-this.#pageSize).toReversed(),
  };

  /** The items of the filter, oldest first. */
  protected abstract matching(): readonly T[];

  /** The number of an item; later ones have higher numbers. */
  protected abstract numberOf(item: T): number;

  readNext(maxCount: number): readonly T[] {
    const items = this.matching()
      .filter((item) => this.numberOf(item) > this.#position)
      .slice(0, requirePageSize(maxCount));
    const last = items.at(-1);
    if (last !== undefined) this.#position = this.numberOf(last);
    return items;
  }

  readPrevious(maxCount: number): readonly T[] {
    const items = this.matching()
      .filter((item) => this.numberOf(item) <= this.#position)
      .slice(-requirePageSize(maxCount));
    const first = items[0];
    if (first !== undefined) this.#position = this.numberOf(first) - 1;
    return items.toReversed();
  }

  /** Goes to the oldest item. */
  rewind(): undefined {
    this.#position = 0;
    return undefined;
  }

  /** Goes past the newest item. */
  reset(): undefined {
    const last = this.matching().at(-1);
    this.#position = last === undefined ? 0 : this.numberOf(last);
    return undefined;
  }

  setPageSize(maxCount: number): undefined {
    this.#pageSize = requirePageSize(maxCount);
    this.touch('latestPage');
    return undefined;
  }

  destroy(): undefined {
    this.#session.remove(this);
    return undefined;
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

function requirePageSize(maxCount: number): number {
  if (maxCount >= 1 && maxCount <= MAX_PAGE_SIZE) return maxCount;
  throw invalidArgument('maxCount', `A page has 1 to ${MAX_PAGE_SIZE} items.`);
}

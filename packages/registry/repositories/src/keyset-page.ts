/** A page of a list in the order of its key. */
export interface KeysetPage {
  /** Entries after this key; from the beginning when absent. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** One condition of a list, as `q=` of the REST API gives it. */
export type ListFilter =
  | { readonly kind: 'equal' | 'like'; readonly field: string; readonly value: string }
  | {
      readonly kind: 'range';
      readonly field: string;
      readonly from: string | undefined;
      readonly to: string | undefined;
    }
  | { readonly kind: 'anyOf' | 'allOf'; readonly field: string; readonly values: readonly string[] };

/** One key to sort by. */
export interface ListSort {
  readonly field: string;
  readonly descending: boolean;
}

/** What was asked of a list, as `parseListQuery` of `@vic/rest` reads it. */
export interface ListRequest {
  /** From 1. */
  readonly page: number;
  readonly pageSize: number;
  readonly filters: readonly ListFilter[];
  readonly sort: readonly ListSort[];
}

/** One page of a list, and how many there are in all. */
export interface ListPage<T> {
  readonly items: readonly T[];
  readonly total: number;
}

/**
 * The column behind a field of a list.
 *
 * `time` fields are read as RFC 3339 or `YYYY-MM-DD HH:MM:SS` in UTC, `flag` as `true` or `false`.
 */
export interface ListColumn {
  /** With its table where the query has several: `artifact.digest`. */
  readonly column: string;
  readonly type: 'text' | 'number' | 'time' | 'flag';
}

/** How the fields of a list are found in a query. */
export interface ListMapping {
  readonly columns: Readonly<Record<string, ListColumn>>;
  /** Fields, `-` in front for descending, that order what the request leaves open; the last one is unique. */
  readonly defaultSort: readonly string[];
}

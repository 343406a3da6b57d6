import { VicError } from '@vic/errors';
import { type Expression, type RawBuilder, type SelectQueryBuilder, type SqlBool, sql } from 'kysely';
import type { Executor } from './database.ts';
import { parseListValue } from './list-value.ts';
import type { ListColumn, ListFilter, ListMapping, ListPage, ListRequest } from './list-request.ts';

/** The condition that one filter is; for queries that treat some of their filters themselves. */
export function filterCondition(filter: ListFilter, mapping: ListMapping): Expression<SqlBool> {
  const column = columnOf(filter.field, mapping);
  const reference = sql.ref(column.column);
  const value = (text: string): string | number => parseListValue(text, filter.field, column);
  switch (filter.kind) {
    case 'equal':
      return sql<SqlBool>`${reference} = ${value(filter.value)}`;
    case 'like':
      return likeCondition(column, reference, filter);
    case 'range':
      return allOf([
        ...(filter.from === undefined ? [] : [sql<SqlBool>`${reference} >= ${value(filter.from)}`]),
        ...(filter.to === undefined ? [] : [sql<SqlBool>`${reference} <= ${value(filter.to)}`]),
      ]);
    case 'anyOf':
      if (filter.values.length === 0) return sql<SqlBool>`1 = 0`;
      return sql<SqlBool>`${reference} in (${sql.join(filter.values.map(value))})`;
    case 'allOf':
      return allOf(filter.values.map((text) => sql<SqlBool>`${reference} = ${value(text)}`));
  }
}

/** The query with the filters, the order and the page of a request. */
export function applyListQuery<DB, TB extends keyof DB, O>(
  query: SelectQueryBuilder<DB, TB, O>,
  request: ListRequest,
  mapping: ListMapping,
): SelectQueryBuilder<DB, TB, O> {
  let page = applyFilters(query, request.filters, mapping);
  for (const { field, descending } of orderOf(request, mapping)) {
    page = page.orderBy(sql.ref(columnOf(field, mapping).column), descending ? 'desc' : 'asc');
  }
  return page.limit(request.pageSize).offset((request.page - 1) * request.pageSize);
}

/** The page of a query that a request asks for, and how many rows match it in all. */
export async function fetchPage<DB, TB extends keyof DB, O>(
  db: Executor,
  query: SelectQueryBuilder<DB, TB, O>,
  request: ListRequest,
  mapping: ListMapping,
): Promise<ListPage<O>> {
  const items = await applyListQuery(query, request, mapping).execute();
  const isLast = items.length < request.pageSize;
  if (isLast && (items.length > 0 || request.page === 1)) {
    return { items, total: (request.page - 1) * request.pageSize + items.length };
  }
  const matching = applyFilters(query, request.filters, mapping);
  const { rows } = await sql<{ total: number }>`select count(*) as total from (${matching}) as matching`.execute(db);
  return { items, total: rows[0]?.total ?? 0 };
}

/** The rows after those a page by key ended with; the columns are the order of the query, ascending. */
export function afterKey(key: Readonly<Record<string, string | number>>): Expression<SqlBool> {
  const columns = sql.join(Object.keys(key).map((column) => sql.ref(column)));
  return sql<SqlBool>`(${columns}) > (${sql.join(Object.values(key))})`;
}

/** The rows before such a key, for an order that is descending in every column. */
export function beforeKey(key: Readonly<Record<string, string | number>>): Expression<SqlBool> {
  const columns = sql.join(Object.keys(key).map((column) => sql.ref(column)));
  return sql<SqlBool>`(${columns}) < (${sql.join(Object.values(key))})`;
}

/** Text that contains another, both in lower case; the wildcards of LIKE stand for themselves. */
export function containsText(column: Expression<string | null>, text: string): Expression<SqlBool> {
  const pattern = `%${text.toLowerCase().replaceAll(/[\\%_]/g, '\\$&')}%`;
  return sql<SqlBool>`lower(${column}) like ${pattern} escape '\\'`;
}

function applyFilters<DB, TB extends keyof DB, O>(
  query: SelectQueryBuilder<DB, TB, O>,
  filters: readonly ListFilter[],
  mapping: ListMapping,
): SelectQueryBuilder<DB, TB, O> {
  return filters.reduce((filtered, filter) => filtered.where(filterCondition(filter, mapping)), query);
}

function likeCondition(
  column: ListColumn,
  reference: RawBuilder<unknown>,
  filter: { readonly field: string; readonly value: string },
): Expression<SqlBool> {
  if (column.type === 'text') return containsText(reference as RawBuilder<string>, filter.value);
  return sql<SqlBool>`${reference} = ${parseListValue(filter.value, filter.field, column)}`;
}

function allOf(conditions: readonly Expression<SqlBool>[]): Expression<SqlBool> {
  return conditions.length === 0 ? sql<SqlBool>`1 = 1` : sql<SqlBool>`(${sql.join(conditions, sql` and `)})`;
}

function orderOf(request: ListRequest, mapping: ListMapping): ListRequest['sort'] {
  const asked = new Set(request.sort.map(({ field }) => field));
  const rest = mapping.defaultSort
    .map((key) => ({ field: key.replace(/^-/, ''), descending: key.startsWith('-') }))
    .filter(({ field }) => !asked.has(field));
  return [...request.sort, ...rest];
}

function columnOf(field: string, mapping: ListMapping): ListColumn {
  const column = Object.hasOwn(mapping.columns, field) ? mapping.columns[field] : undefined;
  if (column !== undefined) return column;
  throw new VicError({
    class: 'InvalidArgument',
    code: 'LIST_QUERY_INVALID',
    message: `invalid list query: this list has no field "${field.slice(0, 100)}"`,
  });
}

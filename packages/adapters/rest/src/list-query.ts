import { VicError } from '@vic/errors';
import type { HttpReply, HttpRequest } from '@vic/http';
import type { ListFilter, ListPage, ListRequest, ListSort } from '@vic/sql';

/** What a list can be filtered and sorted by; anything else is refused by name. */
export interface ListFields {
  readonly filter: readonly string[];
  readonly sort: readonly string[];
}

const DEFAULT_PAGE_SIZE = 10;
const MAX_PAGE_SIZE = 100;
const MAX_QUERY_LENGTH = 2048;

/** Reads `q`, `sort`, `page` and `page_size`. */
export function parseListQuery(request: HttpRequest, fields: ListFields): ListRequest {
  const query = request.query as Readonly<Record<string, unknown>>;
  return {
    page: wholeNumber(query['page'], 'page', { fallback: 1, max: Number.MAX_SAFE_INTEGER }),
    pageSize: wholeNumber(query['page_size'], 'page_size', { fallback: DEFAULT_PAGE_SIZE, max: MAX_PAGE_SIZE }),
    filters: parseFilters(text(query['q'], 'q')).map((filter) => known(filter, fields.filter, 'q')),
    sort: parseSort(text(query['sort'], 'sort')).map((key) => known(key, fields.sort, 'sort')),
  };
}

/** Sets `X-Total-Count` and `Link`, and gives the items for the handler to return. */
export function sendPage<T>(
  request: HttpRequest,
  reply: HttpReply,
  query: ListRequest,
  page: ListPage<T>,
): readonly T[] {
  void reply.header('x-total-count', String(page.total));
  const links = [
    ...(query.page > 1 ? [link(request, query.page - 1, 'prev')] : []),
    ...(query.page * query.pageSize < page.total ? [link(request, query.page + 1, 'next')] : []),
  ];
  if (links.length > 0) void reply.header('link', links.join(' , '));
  return page.items;
}

function link(request: HttpRequest, page: number, relation: string): string {
  const [path = '', search = ''] = request.originalUrl.split('?');
  const parameters = new URLSearchParams(search);
  parameters.set('page', String(page));
  return `<${path}?${parameters.toString()}>; rel="${relation}"`;
}

/** `k=v`, `k=~v`, `k=[a~b]`, `k={a b}`, `k=(a b)`, separated by commas. */
function parseFilters(q: string): ListFilter[] {
  const parts = q.match(/[^,[\]{}()]+(?:\[[^\]]*\]|\{[^}]*\}|\([^)]*\))?/g) ?? [];
  return parts.map((part) => {
    const match = /^([^=]+)=(.*)$/s.exec(part.trim());
    const [, field, value] = match ?? [];
    if (field === undefined || value === undefined) throw badQuery(`the filter "${part}" is not of the form key=value`);
    return parseFilter(field.trim(), value.trim());
  });
}

function parseFilter(field: string, value: string): ListFilter {
  const inner = value.slice(1, -1);
  if (value.startsWith('~')) return { kind: 'like', field, value: value.slice(1) };
  if (/^\[.*~.*\]$/s.test(value)) {
    const [from = '', to = ''] = inner.split('~');
    return { kind: 'range', field, from: from === '' ? undefined : from, to: to === '' ? undefined : to };
  }
  if (/^\{.*\}$/s.test(value)) return { kind: 'anyOf', field, values: inner.split(/\s+/).filter(Boolean) };
  if (/^\(.*\)$/s.test(value)) return { kind: 'allOf', field, values: inner.split(/\s+/).filter(Boolean) };
  return { kind: 'equal', field, value };
}

function parseSort(sort: string): ListSort[] {
  return sort
    .split(',')
    .map((field) => field.trim())
    .filter(Boolean)
    .map((field) => ({ field: field.replace(/^[-+]/, ''), descending: field.startsWith('-') }));
}

function known<T extends { readonly field: string }>(key: T, fields: readonly string[], parameter: string): T {
  if (fields.includes(key.field)) return key;
  throw badQuery(`${parameter} names "${key.field}"; this list knows ${fields.join(', ') || 'none'}`);
}

function wholeNumber(value: unknown, name: string, limits: { fallback: number; max: number }): number {
  if (value === undefined || value === '') return limits.fallback;
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= 1 && number <= limits.max) return number;
  throw badQuery(`${name} must be a whole number from 1 to ${limits.max}`);
}

function text(value: unknown, name: string): string {
  if (value === undefined) return '';
  if (typeof value === 'string' && value.length <= MAX_QUERY_LENGTH) return value;
  throw badQuery(`${name} may be given once, with at most ${MAX_QUERY_LENGTH} characters`);
}

function badQuery(reason: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'LIST_QUERY_INVALID',
    message: `invalid list query: ${reason}`,
  });
}

import { isVicError } from '@vic/errors';
import { expect, it } from 'vitest';
import {
  type Database,
  type ListFilter,
  type ListMapping,
  type ListRequest,
  afterKey,
  applyListQuery,
  beforeKey,
  fetchPage,
} from '../index.ts';
import type { DialectSuite } from './index.ts';

const MAPPING: ListMapping = {
  columns: {
    id: { column: 'event.id', type: 'number' },
    kind: { column: 'event.type', type: 'text' },
    at: { column: 'occurred_at', type: 'time' },
    placed: { column: 'position', type: 'flag' },
  },
  defaultSort: ['-id'],
};

/** What lists promise. */
export const listQuerySuite: DialectSuite = (open) => {
  it.each<[string, ListFilter, readonly number[]]>([
    ['equal text', { kind: 'equal', field: 'kind', value: 'Pull' }, [1]],
    ['text in quotes', { kind: 'equal', field: 'kind', value: '"5"' }, [5]],
    ['text that contains, whatever its case', { kind: 'like', field: 'kind', value: 'pULL' }, [2, 1]],
    ['a wildcard as what it is', { kind: 'like', field: 'kind', value: '%' }, [3]],
    ['another', { kind: 'like', field: 'kind', value: '_' }, [4]],
    ['the escape', { kind: 'like', field: 'kind', value: '\\' }, [4]],
    ['one of some', { kind: 'anyOf', field: 'id', values: ['1', '3', '99'] }, [3, 1]],
    ['one of none', { kind: 'anyOf', field: 'id', values: [] }, []],
    ['all of some', { kind: 'allOf', field: 'id', values: ['1', '3'] }, []],
    ['a range', { kind: 'range', field: 'id', from: '2', to: '4' }, [4, 3, 2]],
    ['an open range', { kind: 'range', field: 'id', from: '4', to: undefined }, [5, 4]],
    ['times', { kind: 'range', field: 'at', from: '1970-01-01 00:00:02', to: '1970-01-01T00:00:03Z' }, [5, 3, 2]],
    ['a flag', { kind: 'equal', field: 'placed', value: 'true' }, [1]],
  ])('finds %s', async (_, filter, ids) => {
    await using database = await open();
    await fill(database);
    expect(await list(database, { filters: [filter] })).toEqual(ids);
  });

  it.each<[ListFilter]>([
    [{ kind: 'equal', field: 'secret', value: '1' }],
    [{ kind: 'equal', field: 'constructor', value: '1' }],
    [{ kind: 'equal', field: 'id', value: '1 or 1=1' }],
    [{ kind: 'equal', field: 'at', value: 'yesterday' }],
    [{ kind: 'equal', field: 'placed', value: 'maybe' }],
  ])('refuses %j', async (filter) => {
    await using database = await open();
    await expect(list(database, { filters: [filter] })).rejects.toSatisfy((error) =>
      isVicError(error, { class: 'InvalidArgument', code: 'LIST_QUERY_INVALID' }),
    );
  });

  it('sorts as asked, and by its own order what that leaves open', async () => {
    await using database = await open();
    await fill(database);
    expect(await list(database, { sort: [{ field: 'kind', descending: false }] })).toEqual([5, 1, 4, 2, 3]);
    expect(await list(database, { sort: [{ field: 'at', descending: false }] })).toEqual([1, 5, 2, 3, 4]);
  });

  it('gives a page and the total', async () => {
    await using database = await open();
    await fill(database);
    const query = database.db.selectFrom('event').select('id');
    const page = async (page: number, pageSize: number, filters: readonly ListFilter[] = []) =>
      fetchPage(database.db, query, { page, pageSize, filters, sort: [] }, MAPPING);
    expect(await page(1, 2)).toEqual({ items: [{ id: 5 }, { id: 4 }], total: 5 });
    expect(await page(3, 2)).toEqual({ items: [{ id: 1 }], total: 5 });
    expect(await page(9, 2)).toEqual({ items: [], total: 5 });
    expect(await page(1, 1, [{ kind: 'range', field: 'id', from: '4', to: undefined }])).toMatchObject({ total: 2 });
    expect(await page(1, 9, [{ kind: 'equal', field: 'id', value: '99' }])).toEqual({ items: [], total: 0 });
  });

  it('pages by key in both directions', async () => {
    await using database = await open();
    await fill(database);
    const query = database.db.selectFrom('event').select('id').limit(2);
    const after = query
      .where(afterKey({ occurred_at: 2000, id: 2 }))
      .orderBy('occurred_at')
      .orderBy('id');
    expect((await after.execute()).map(({ id }) => id)).toEqual([5, 3]);
    const before = query
      .where(beforeKey({ occurred_at: 2000, id: 5 }))
      .orderBy('occurred_at', 'desc')
      .orderBy('id', 'desc');
    expect((await before.execute()).map(({ id }) => id)).toEqual([2, 1]);
  });
};

async function fill({ db }: Database): Promise<void> {
  const events = [
    { type: 'Pull', occurred_at: 1000, position: 1 },
    { type: 'a pull b', occurred_at: 2000 },
    { type: 'c%', occurred_at: 3000 },
    { type: '\\_d', occurred_at: 4000 },
    { type: '5', occurred_at: 2000 },
  ];
  for (const event of events)
    await db
      .insertInto('event')
      .values({ ...event, body: '{}' })
      .execute();
}

async function list({ db }: Database, request: Partial<ListRequest>): Promise<readonly number[]> {
  const query = db.selectFrom('event').select('event.id');
  const asked = { page: 1, pageSize: 100, filters: [], sort: [], ...request };
  return (await applyListQuery(query, asked, MAPPING).execute()).map(({ id }) => id);
}

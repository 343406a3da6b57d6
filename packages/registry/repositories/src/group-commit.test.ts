import { VicError } from '@vic/errors';
import type { Database } from '@vic/sql';
import { temporaryDatabase } from '@vic/sql/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GroupCommit } from './group-commit.ts';

const AWAY = new VicError({ class: 'Unavailable', code: 'SQL_UNAVAILABLE', message: 'away' });

describe('GroupCommit', () => {
  // A batch ends after some milliseconds, which a busy machine may take for the first change alone.
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('commits changes that come together in fewer transactions, each alone with its failure', async () => {
    await using database = await temporaryDatabase();
    let transactions = 0;
    const counted: Pick<Database, 'dialect' | 'transaction'> = {
      dialect: 'sqlite',
      transaction: async (body) => {
        transactions += 1;
        return database.transaction(body);
      },
    };
    const commits = new GroupCommit(counted);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 30 }, async (_, index) =>
        commits.run(async (tx) => {
          await tx.insertInto('usage_deltas').values({ project_id: index, delta_bytes: 1 }).execute();
          if (index % 10 === 0) throw AWAY;
          return index;
        }),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(3);
    expect(outcomes[1]).toEqual({ status: 'fulfilled', value: 1 });
    const rows = await database.db.selectFrom('usage_deltas').select('project_id').execute();
    expect(rows).toHaveLength(27);
    expect(transactions).toBe(1);
  });

  it('fails who waits when no transaction can begin, and goes on when one can again', async () => {
    await using database = await temporaryDatabase();
    let isAway = true;
    const commits = new GroupCommit({
      dialect: 'sqlite',
      transaction: async (body) => (isAway ? Promise.reject(AWAY) : database.transaction(body)),
    });
    const change = async (): Promise<string> => commits.run(async () => 'made');
    const failed = await Promise.allSettled([change(), change()]);
    expect(failed).toEqual([
      { status: 'rejected', reason: AWAY },
      { status: 'rejected', reason: AWAY },
    ]);
    isAway = false;
    expect(await change()).toBe('made');
  });

  it('runs changes again when the transaction is', async () => {
    await using database = await temporaryDatabase();
    const commits = new GroupCommit({
      dialect: 'sqlite',
      transaction: async (body) => {
        await database.transaction(body);
        return database.transaction(body);
      },
    });
    let runs = 0;
    const changes = [1, 2].map(async (value) =>
      commits.run(async () => {
        runs += 1;
        return value;
      }),
    );
    expect(await Promise.all(changes)).toEqual([1, 2]);
    expect(runs).toBe(4);
  });
});

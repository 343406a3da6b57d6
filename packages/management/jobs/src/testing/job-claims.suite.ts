import { setTimeout as sleep } from 'node:timers/promises';
import { isVicError } from '@vic/errors';
import { silentLogger } from '@vic/log';
import { openDatabase } from '@vic/sql';
import { type DialectSuite, interleaved } from '@vic/sql/testing';
import { expect, it } from 'vitest';
import { type JobKind, JobRunner, Jobs } from '../index.ts';
import { POLL, QUICK, execution, maybe, running } from './quick-runner.ts';

/** What the queue promises of which process runs what, and when one ends or dies. */
export const jobClaimsSuite: DialectSuite = (open) => {
  it('puts back what was not finished when the program ends', async () => {
    await using database = await open();
    const jobs = new Jobs(database);
    let runs = 0;
    const kind: JobKind = {
      kind: 'long',
      run: async ({ signal }) => {
        if (++runs === 1) await sleep(60_000, undefined, { signal });
      },
    };
    const id = await jobs.enqueue({ kind: 'long', payload: {} });
    {
      await using _runner = running(database, kind);
      await expect.poll(() => runs).toBe(1);
    }
    expect(await jobs.findJob(id)).toMatchObject({ status: 'Pending', runCount: 0 });
    await using _next = running(database, kind);
    await expect.poll(async () => (await jobs.findJob(id))?.status, POLL).toBe('Success');
  });

  it('puts back what it was claiming when it was told to end', async () => {
    await using database = await open();
    const jobs = new Jobs(database);
    const id = await jobs.enqueue({ kind: 'endless', payload: {} });
    const claimed = Promise.withResolvers<void>();
    const mayBegin = Promise.withResolvers<void>();
    const claiming = interleaved(database, { kind: 'update', table: 'job' }, async () => {
      if ((await jobs.findJob(id))?.status === 'Pending') return;
      claimed.resolve();
      await mayBegin.promise;
    });
    const runner = running(claiming, {
      kind: 'endless',
      run: async ({ signal }) => sleep(60_000, undefined, { signal }),
    });
    await claimed.promise;
    const ended = runner[Symbol.asyncDispose]();
    mayBegin.resolve();
    await ended;
    expect(await jobs.findJob(id)).toMatchObject({ status: 'Pending', runCount: 0 });
  });

  it('takes over the job of a process that died, and gives up on one that kills its processes', async () => {
    await using database = await open();
    const jobs = new Jobs(database);
    const taken = await jobs.enqueue({ kind: 'maybe', payload: { ok: true } });
    const deadly = await jobs.enqueue({ kind: 'maybe', payload: { ok: true } });
    for (const [id, runCount] of [
      [taken, 1],
      [deadly, 6],
    ] as const) {
      await database.db
        .updateTable('job')
        .set({ status: 'Running', lease_owner: 'dead', lease_until: Date.now() - 1, run_count: runCount })
        .where('id', '=', id)
        .execute();
    }
    await using _runner = running(database, maybe);
    await expect.poll(async () => await jobs.findJob(taken), POLL).toMatchObject({ status: 'Success', runCount: 2 });
    await expect.poll(async () => await jobs.findJob(deadly), POLL).toMatchObject({ status: 'Error', runCount: 6 });
  });

  it('runs no job twice, and loses none that is begun, while its claims take long to prolong', async () => {
    await using database = await open();
    const jobs = new Jobs(database);
    const leaseMs = 100;
    const runs: number[] = [];
    const mayEnd = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const leaseOf = async (id: number): Promise<number> => {
      const query = database.db.selectFrom('job').select('lease_until').where('id', '=', id);
      return (await query.executeTakeFirstOrThrow()).lease_until;
    };
    let claimedUntil: number | undefined;
    let isHeld = false;
    const slow = interleaved(database, { kind: 'update', table: 'job' }, async () => {
      const [first] = runs;
      if (first === undefined || isHeld) return;
      const until = await leaseOf(first);
      claimedUntil ??= until;
      if (until === claimedUntil) return;
      isHeld = true;
      held.resolve();
      // Until the other has begun, and the first's lease is long over.
      await expect.poll(() => runs.length, POLL).toBe(2);
      await sleep(3 * leaseMs);
    });
    const kind: JobKind = {
      kind: 'patient',
      run: async ({ job, signal }) => {
        runs.push(job.id);
        await mayEnd.promise;
        signal.throwIfAborted();
      },
    };
    const work = { kinds: [kind] };
    await using runner = new JobRunner({ database: slow, logger: silentLogger() }, work, { ...QUICK, leaseMs });
    const one = await jobs.enqueue({ kind: 'patient', payload: {} });
    runner.start();
    await held.promise;
    const two = await jobs.enqueue({ kind: 'patient', payload: {} });
    await expect.poll(async () => await leaseOf(two), POLL).toBeGreaterThan(0);
    const claimedSecondUntil = await leaseOf(two);
    await expect.poll(async () => await leaseOf(two), POLL).toBeGreaterThan(claimedSecondUntil);
    mayEnd.resolve();
    for (const id of [one, two]) {
      await expect.poll(async () => await jobs.findJob(id), POLL).toMatchObject({ status: 'Success', runCount: 1 });
    }
    expect(runs).toEqual([one, two]);
  });

  it('two processes share the jobs: each is run by one of them', async () => {
    await using database = await open();
    await using second = await openDatabase(database.location);
    const jobs = new Jobs(database);
    const runs: number[] = [];
    const kind: JobKind = {
      kind: 'count',
      run: async ({ job }) => {
        runs.push(job.id);
        await sleep(1);
      },
    };
    const ids: number[] = [];
    for (let index = 0; index < 40; index++) ids.push(await jobs.enqueue({ kind: 'count', payload: {} }));
    await using _one = running(database, kind);
    await using _two = running(second, kind);
    await expect.poll(() => runs.length, POLL).toBe(40);
    await sleep(50);
    expect(runs.toSorted((a, b) => a - b)).toEqual(ids);
  });

  it('gives up the run of a job that is gone', async () => {
    await using database = await open();
    const jobs = new Jobs(database);
    let reason: unknown;
    const endless: JobKind = {
      kind: 'endless',
      run: async ({ signal }) => {
        await sleep(60_000, undefined, { signal }).catch(() => undefined);
        reason = signal.reason;
      },
    };
    await using _runner = running(database, endless);
    const id = await jobs.startExecution(execution([{ kind: 'endless', payload: {} }]));
    await expect.poll(async () => (await jobs.findExecution(id))?.tasks.Running, POLL).toBe(1);
    await jobs.removeExecutions({ vendorType: 'TEST', vendorId: 7 });
    await expect.poll(() => isVicError(reason, { code: 'JOB_CLAIM_LOST' }), POLL).toBe(true);
    expect(await jobs.findExecution(id)).toBeUndefined();
  });
};

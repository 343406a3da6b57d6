import { setTimeout as sleep } from 'node:timers/promises';
import { isVicError } from '@vic/errors';
import { silentLogger } from '@vic/log';
import { type Database, type ListRequest, openDatabase } from '@vic/sql';
import { type DialectSuite, interleaved } from '@vic/sql/testing';
import { expect, it } from 'vitest';
import {
  type Execution,
  type JobKind,
  JobRunner,
  type JobRunnerOptions,
  type JobVendor,
  Jobs,
  type NewExecution,
  type NewJob,
} from '../index.ts';

/** The lease is one that no busy machine outlives, and looked after six times as often. */
const QUICK: JobRunnerOptions = { pollMs: 20, leaseMs: 6000 };
const ALL: ListRequest = { page: 1, pageSize: 100, filters: [], sort: [] };

/** What the queue promises. */
export const jobsSuite: DialectSuite = (open) => {
  it('runs a job with its payload and keeps its log, attributes and progress', async () => {
    await using database = await open();
    const jobs = new Jobs(database);
    await using _runner = running(database, {
      kind: 'greet',
      run: async ({ job, log, progress, setAttributes }) => {
        log.info(`hello ${String(job.payload['name'])}`);
        progress(40, 'greeting');
        await setAttributes({ greeted: 1 });
      },
    });
    const id = await jobs.enqueue({ kind: 'greet', payload: { name: 'ada' }, attributes: { source: 'test' } });
    await expect.poll(async () => (await jobs.findJob(id))?.status).toBe('Success');
    expect(await jobs.findJob(id)).toMatchObject({
      progress: 100,
      runCount: 1,
      statusMessage: 'greeting',
      attributes: { source: 'test', greeted: 1 },
    });
    expect(await jobs.readLog(id)).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z \[INFO\] hello ada\n$/);
  });

  it('runs a failed job again, until it succeeds or has failed for good', async () => {
    await using database = await open();
    const jobs = new Jobs(database);
    await using _runner = running(database, {
      kind: 'flaky',
      maxFailures: 3,
      retryMs: 5,
      run: async ({ job }) => {
        if (job.runCount < Number(job.payload['succeedsAt'])) throw new Error(`failure ${job.runCount}`);
      },
    });
    const good = await jobs.enqueue({ kind: 'flaky', payload: { succeedsAt: 3 } });
    const bad = await jobs.enqueue({ kind: 'flaky', payload: { succeedsAt: 9 } });
    await expect.poll(async () => (await jobs.findJob(good))?.status, POLL).toBe('Success');
    await expect.poll(async () => (await jobs.findJob(bad))?.status, POLL).toBe('Error');
    expect(await jobs.findJob(bad)).toMatchObject({ runCount: 3, statusMessage: 'failure 3' });
    expect(await jobs.readLog(bad)).toContain('[ERROR] failure 2');
  });

  it('logs each run that ends, with its failure', async () => {
    await using database = await open();
    const jobs = new Jobs(database);
    const lines: object[] = [];
    const line = (message: string, fields?: object): void => void lines.push({ message, ...fields });
    const kind: JobKind = {
      kind: 'flaky',
      maxFailures: 2,
      retryMs: 5,
      run: async () => {
        throw new Error('not today');
      },
    };
    const logger = { ...silentLogger(), info: line, warn: line };
    await using runner = new JobRunner({ database, logger }, { kinds: [kind] }, QUICK);
    runner.start();
    const job = await jobs.enqueue({ kind: 'flaky', payload: {} });
    await expect.poll(() => lines.length, POLL).toBe(2);
    const common = { message: 'Job ended', job, kind: 'flaky', ms: expect.any(Number) as number, error: 'not today' };
    expect(lines).toEqual([
      { ...common, end: 'Retried' },
      { ...common, end: 'Error' },
    ]);
  });

  it('runs jobs of higher priority first, and no more of a kind at a time than it allows', async () => {
    await using database = await open();
    const jobs = new Jobs(database);
    const order: unknown[] = [];
    let most = 0;
    let now = 0;
    for (const priority of [1, 3, 2]) await jobs.enqueue({ kind: 'one', payload: { priority }, priority });
    await using _runner = running(database, {
      kind: 'one',
      concurrency: 1,
      run: async ({ job }) => {
        most = Math.max(most, ++now);
        await sleep(5);
        order.push(job.payload['priority']);
        now--;
      },
    });
    await expect.poll(() => order, POLL).toEqual([3, 2, 1]);
    expect(most).toBe(1);
  });

  it('has one active job for a key, and the next when it has ended', async () => {
    await using database = await open();
    const jobs = new Jobs(database);
    const job: NewJob = { kind: 'gc', payload: {}, activeKey: 'gc' };
    const id = await jobs.enqueue(job);
    await expect(jobs.enqueue(job)).rejects.toSatisfy((error) => isVicError(error, { code: 'JOB_ACTIVE' }));
    await using _runner = running(database, { kind: 'gc', run: async () => undefined });
    await expect.poll(async () => (await jobs.findJob(id))?.status).toBe('Success');
    await jobs.enqueue(job);
  });

  it('ends an execution with its last task, once, with the worst of their outcomes', async () => {
    await using database = await open();
    const jobs = new Jobs(database);
    const ended: Execution[] = [];
    const vendor: JobVendor = {
      vendorType: 'TEST',
      onExecutionEnded: async (execution) => void ended.push(execution),
    };
    await using _runner = running(database, maybe, vendor);
    const good = await jobs.startExecution(execution([task(true), task(true)]));
    const bad = await jobs.startExecution(execution([task(true), task(false)]));
    const empty = await jobs.startExecution(execution([]));
    for (const [id, status] of [
      [good, 'Success'],
      [bad, 'Error'],
      [empty, 'Success'],
    ] as const) {
      await expect.poll(async () => (await jobs.findExecution(id))?.status, POLL).toBe(status);
    }
    expect((await jobs.findExecution(bad))?.tasks).toMatchObject({ total: 2, Success: 1, Error: 1 });
    expect(ended.map(({ id }) => id).toSorted((a, b) => a - b)).toEqual([good, bad, empty]);
    expect(await jobs.listExecutions({ vendorType: 'TEST', vendorId: 7 }, ALL)).toMatchObject({
      total: 3,
      items: [{ id: empty }, { id: bad }, { id: good }],
    });
  });

  it('an execution goes on while its tasks add more', async () => {
    await using database = await open();
    const jobs = new Jobs(database);
    const control: JobKind = {
      kind: 'control',
      run: async ({ job }) => void (await jobs.addTasks(job.executionId ?? 0, [task(true), task(true), task(true)])),
    };
    await using _runner = running(database, [control, maybe]);
    const id = await jobs.startExecution(execution([{ kind: 'control', payload: {} }]));
    await expect.poll(async () => (await jobs.findExecution(id))?.status, POLL).toBe('Success');
    expect((await jobs.listTasks(id, ALL, 'maybe')).total).toBe(3);
    await expect(jobs.addTasks(id, [task(true)])).rejects.toSatisfy((error) =>
      isVicError(error, { code: 'JOB_EXECUTION_ENDED' }),
    );
  });

  it('stops an execution: what runs is told, what waits is not begun', async () => {
    await using database = await open();
    const jobs = new Jobs(database);
    const runs: number[] = [];
    const endless: JobKind = {
      kind: 'endless',
      concurrency: 1,
      run: async ({ job, signal }) => {
        runs.push(job.id);
        await sleep(60_000, undefined, { signal });
      },
    };
    await using _runner = running(database, endless);
    const id = await jobs.startExecution(
      execution([
        { kind: 'endless', payload: {} },
        { kind: 'endless', payload: {} },
      ]),
    );
    await expect.poll(() => runs.length).toBe(1);
    await jobs.stopExecution(id);
    await expect.poll(async () => (await jobs.findExecution(id))?.status, POLL).toBe('Stopped');
    expect((await jobs.findExecution(id))?.tasks).toMatchObject({ total: 2, Stopped: 2 });
    expect(runs).toHaveLength(1);
  });

  it('a run whose time is up has failed', async () => {
    await using database = await open();
    const jobs = new Jobs(database);
    const slow: JobKind = {
      kind: 'slow',
      timeoutMs: 20,
      run: async ({ signal }) => sleep(60_000, undefined, { signal }),
    };
    await using _runner = running(database, slow);
    const id = await jobs.enqueue({ kind: 'slow', payload: {} });
    await expect.poll(async () => (await jobs.findJob(id))?.status, POLL).toBe('Error');
    expect((await jobs.findJob(id))?.statusMessage).toContain('did not finish within');
  });

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

const POLL = { interval: 20 };

const maybe: JobKind = {
  kind: 'maybe',
  run: async ({ job }) => {
    if (job.payload['ok'] !== true) throw new Error('no');
  },
};

function task(ok: boolean): NewJob {
  return { kind: 'maybe', payload: { ok } };
}

function execution(tasks: readonly NewJob[]): NewExecution {
  return { vendorType: 'TEST', vendorId: 7, trigger: 'MANUAL', tasks };
}

function running(database: Database, kinds: JobKind | readonly JobKind[], ...vendors: readonly JobVendor[]): JobRunner {
  const work = { kinds: [kinds].flat() as readonly JobKind[], vendors };
  const runner = new JobRunner({ database, logger: silentLogger() }, work, QUICK);
  runner.start();
  return runner;
}

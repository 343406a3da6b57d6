import { setTimeout as sleep } from 'node:timers/promises';
import { isVicError } from '@vic/errors';
import { silentLogger } from '@vic/log';
import type { ListRequest } from '@vic/sql';
import type { DialectSuite } from '@vic/sql/testing';
import { expect, it } from 'vitest';
import { type Execution, type JobKind, JobRunner, type JobVendor, Jobs, type NewJob } from '../index.ts';
import { POLL, QUICK, execution, maybe, running } from './quick-runner.ts';

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
};

function task(ok: boolean): NewJob {
  return { kind: 'maybe', payload: { ok } };
}

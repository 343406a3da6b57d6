import { isVicError } from '@vic/errors';
import { silentLogger } from '@vic/log';
import { type Database, type ListRequest, openDatabase } from '@vic/sql';
import type { DialectSuite } from '@vic/sql/testing';
import { expect, it } from 'vitest';
import {
  JobMonitor,
  JobRunner,
  type JobVendor,
  Jobs,
  type Schedule,
  Schedules,
  nextRun,
  validateCron,
} from '../index.ts';

/** Far from now, whenever that is: what has fired once does not fire again while a test looks. */
const LEAP_DAY = '0 0 0 29 2 *';
const ALL: ListRequest = { page: 1, pageSize: 100, filters: [], sort: [] };

/** What schedules promise. */
export const schedulesSuite: DialectSuite = (open) => {
  it('an owner has one schedule, which can be changed, found, listed and removed', async () => {
    await using database = await open();
    const schedules = new Schedules(database);
    await schedules.set({ vendorType: 'GC', vendorId: 0, cronType: 'Daily', cron: '0 0 0 * * *' });
    const attributes = { dryRun: true };
    await schedules.set({ vendorType: 'GC', vendorId: 0, cronType: 'Custom', cron: '0 30 5 * * *', attributes });
    await schedules.set({ vendorType: 'RETENTION', vendorId: 4, cronType: 'Custom', cron: '0 0 * * * *' });
    const found = await schedules.find('GC', 0);
    expect(found).toMatchObject({ cronType: 'Custom', cron: '0 30 5 * * *', attributes: { dryRun: true } });
    expect(new Date(found?.nextRunAtMs ?? 0).toISOString()).toMatch(/T05:30:00/);
    expect(await schedules.list(ALL)).toMatchObject({ total: 2 });
    await schedules.remove('GC', 0);
    expect(await schedules.find('GC', 0)).toBeUndefined();
  });

  it('fires each time once, over all processes, with what was missed as one', async () => {
    await using database = await open();
    await using second = await openDatabase(database.location);
    const fired: Schedule[] = [];
    await new Schedules(database).set({ vendorType: 'TEST', vendorId: 9, cronType: 'Custom', cron: LEAP_DAY });
    await makeDue(database, 'TEST');
    const vendor: JobVendor = {
      vendorType: 'TEST',
      onSchedule: async (schedule, transaction) => {
        fired.push(schedule);
        const execution = { vendorType: 'TEST', vendorId: schedule.vendorId, trigger: 'SCHEDULE', tasks: [] } as const;
        await new Jobs(database).startExecution(execution, transaction);
      },
    };
    await using _one = running(database, vendor);
    await using _two = running(second, vendor);
    const executions = async () => new Jobs(database).listExecutions({ vendorType: 'TEST', vendorId: 9 }, ALL);
    await expect.poll(async () => (await executions()).items[0]?.status).toBe('Success');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await executions()).total).toBe(1);
    expect((await new Schedules(database).find('TEST', 9))?.nextRunAtMs).toBeGreaterThan(Date.now());
  });

  it('a time that cannot be handled does not keep others, or the next, from firing', async () => {
    await using database = await open();
    const schedules = new Schedules(database);
    await schedules.set({ vendorType: 'BROKEN', vendorId: 0, cronType: 'Custom', cron: LEAP_DAY });
    await schedules.set({ vendorType: 'TEST', vendorId: 0, cronType: 'Custom', cron: LEAP_DAY });
    await makeDue(database, 'BROKEN');
    await makeDue(database, 'TEST');
    let fired = 0;
    const broken: JobVendor = { vendorType: 'BROKEN', onSchedule: () => Promise.reject(new Error('no')) };
    const good: JobVendor = { vendorType: 'TEST', onSchedule: async () => void fired++ };
    await using _runner = running(database, broken, good);
    await expect.poll(() => fired).toBe(1);
    await expect.poll(async () => (await schedules.find('BROKEN', 0))?.nextRunAtMs).toBeGreaterThan(Date.now());
  });

  it('holds schedules and queues while they are paused', async () => {
    await using database = await open();
    const schedules = new Schedules(database);
    const monitor = new JobMonitor(database, ['work']);
    await schedules.set({ vendorType: 'TEST', vendorId: 0, cronType: 'Custom', cron: LEAP_DAY });
    await makeDue(database, 'TEST');
    await monitor.pause('all');
    expect(await schedules.isPaused()).toBe(true);
    const jobs = new Jobs(database);
    const id = await jobs.enqueue({ kind: 'work', payload: {} });
    let fired = 0;
    await using _runner = running(database, { vendorType: 'TEST', onSchedule: async () => void fired++ });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(fired).toBe(0);
    expect(await monitor.queues()).toMatchObject([
      { kind: 'SCHEDULER', paused: true, count: 0 },
      { kind: 'work', paused: true, count: 1 },
    ]);
    await monitor.resume('all');
    await expect.poll(() => fired).toBe(1);
    await expect.poll(async () => (await jobs.findJob(id))?.status).toBe('Success');
    expect(await monitor.pools()).toMatchObject([{ pid: process.pid, concurrency: 10 }]);
  });

  it('stops what waits in a queue', async () => {
    await using database = await open();
    const jobs = new Jobs(database);
    const id = await jobs.enqueue({ kind: 'work', payload: {} });
    const other = await jobs.enqueue({ kind: 'other', payload: {} });
    await new JobMonitor(database, []).stopPending('work');
    expect((await jobs.findJob(id))?.status).toBe('Stopped');
    expect((await jobs.findJob(other))?.status).toBe('Pending');
  });

  it('reads six fields, in UTC', () => {
    expect(nextRun('0 15 3 * * *', Date.UTC(2026, 0, 1))).toBe(Date.UTC(2026, 0, 1, 3, 15));
    expect(nextRun('0 0 0 * * 1', Date.UTC(2026, 0, 1))).toBe(Date.UTC(2026, 0, 5));
    validateCron('0 */5 * * * *');
    for (const [cron, message] of [
      ['* * * * *', 'expected exactly 6 fields, found 5'],
      ['0 61 * * * *', 'invalid cron'],
      ['* 0 0 * * *', 'the 1st field'],
      ['0 0 0 30 2 *', 'no time that will come'],
      ['@daily', 'expected exactly 6'],
    ] as const) {
      expect(() => validateCron(cron)).toThrow(message);
    }
  });

  it('refuses a schedule whose times are none', async () => {
    await using database = await open();
    const set = new Schedules(database).set({ vendorType: 'X', vendorId: 0, cronType: 'Custom', cron: 'soon' });
    await expect(set).rejects.toSatisfy((error) => isVicError(error, { class: 'InvalidArgument' }));
  });
};

async function makeDue(database: Database, vendorType: string): Promise<void> {
  await database.db
    .updateTable('job_schedule')
    .set({ next_run_at: Date.now() - 1000 })
    .where('vendor_type', '=', vendorType)
    .execute();
}

function running(database: Database, ...vendors: readonly JobVendor[]): JobRunner {
  const work = { kinds: [{ kind: 'work', run: async () => undefined }], vendors };
  const runner = new JobRunner({ database, logger: silentLogger() }, work, { pollMs: 20 });
  runner.start();
  return runner;
}

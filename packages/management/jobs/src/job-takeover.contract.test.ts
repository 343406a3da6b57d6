import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { silentLogger } from '@vic/log';
import { temporaryDatabase } from '@vic/sql/testing';
import { expect, it } from 'vitest';
import { JobRunner, Jobs } from './index.ts';

it('the job of a process that is killed is run again by another', async () => {
  await using database = await temporaryDatabase();
  const jobs = new Jobs(database);
  const id = await jobs.startExecution({
    vendorType: 'TEST',
    vendorId: 0,
    trigger: 'MANUAL',
    tasks: [{ kind: 'work', payload: {}, activeKey: 'work' }],
  });
  const modules = ['./index.ts', '@vic/sql', '@vic/log'].map((module) => import.meta.resolve(module));
  const victim = spawn(process.execPath, [
    '--input-type=module',
    '-e',
    HANG,
    ...modules,
    JSON.stringify(database.location),
  ]);
  using _killed = { [Symbol.dispose]: () => void victim.kill('SIGKILL') };
  await once(victim.stdout, 'data');
  expect((await jobs.findExecution(id))?.tasks.Running).toBe(1);
  victim.kill('SIGKILL');
  await once(victim, 'exit');
  const work = { kinds: [{ kind: 'work', run: async () => undefined }] };
  await using runner = new JobRunner({ database, logger: silentLogger() }, work, { pollMs: 20 });
  runner.start();
  await expect.poll(async () => (await jobs.findExecution(id))?.status).toBe('Success');
  const { items } = await jobs.listTasks(id, { page: 1, pageSize: 1, filters: [], sort: [] });
  expect(items[0]).toMatchObject({ status: 'Success', runCount: 2 });
});

const HANG = `
  const [index, sql, log, location] = process.argv.slice(1);
  const [{ JobRunner }, { openDatabase }, { silentLogger }] = await Promise.all([import(index), import(sql), import(log)]);
  const database = await openDatabase(JSON.parse(location));
  const kind = { kind: 'work', run: async () => { console.log('running'); await new Promise(() => {}); } };
  new JobRunner({ database, logger: silentLogger() }, { kinds: [kind] }, { pollMs: 20, leaseMs: 500 }).start();
`;

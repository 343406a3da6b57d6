import type { OpenTemporaryDatabase } from '@vic/sql/testing';
import { expect, test } from 'vitest';
import { ScanningWorld } from './scanning-world.ts';

const SCAN = '/projects/library/repositories/app/artifacts/v1/scan';

/** Scans that are stopped at the moment at which a process takes them. */
export function stoppedScansSuite(open: OpenTemporaryDatabase): void {
  test('a scan that was stopped before its job got to it does not begin, and ends once', async () => {
    await using world = await ScanningWorld.open(open);
    const { database, scanning } = world;
    // This test, and no runner, takes the job.
    await database.db.insertInto('job_pause').values({ kind: 'IMAGE_SCAN', paused_at: 0 }).execute();
    const image = await world.pushImage('library/app', [{ 'etc/os-release': 'ID=debian\n' }], 'v1');
    expect((await world.call('POST', SCAN)).status).toBe(202);
    const { id } = await database.db.selectFrom('job').select('id').executeTakeFirstOrThrow();
    const body = { scan_type: 'vulnerability' };
    expect((await world.call('POST', `${SCAN}/stop`, { body })).status).toBe(202);
    const kind = scanning.kinds.find(({ kind: name }) => name === 'IMAGE_SCAN');
    const job = await scanning.deps.jobs.findJob(id);
    if (kind === undefined || job === undefined) throw new Error('there is no scan');
    const drop = (): void => undefined;
    const log = { info: drop, warn: drop, error: drop };
    const { signal } = new AbortController();
    await kind.run({ job, signal, log, progress: drop, setAttributes: async () => undefined });
    expect(await world.overview(image)).toMatchObject({ scan_status: 'Stopped' });
    const ends = await world.events('scan.completed', 'scan.failed', 'scan.stopped');
    expect(ends).toMatchObject([{ type: 'scan.stopped', repository: 'library/app' }]);
  });
}

import { join } from 'node:path';
import { openDatabase } from '@vic/sql';
import { temporaryDirectory } from '@vic/testkit';
import { expect, it } from 'vitest';
import { registry } from './command-line.ts';
import { openPlainSite, plainConfiguration } from './plain-site.ts';

const PROJECTS = 4;

it('audit verify tells an intact log from one with a changed, a deleted and a cut record', async () => {
  await using directory = await temporaryDirectory();
  await fillLog(directory.path);
  const verify = async (...more: readonly string[]) => registry('audit', 'verify', '--data', directory.path, ...more);
  const intact = await verify('--json');
  expect(intact).toMatchObject({ status: 0, error: '' });
  const { nextAnchor, lastPosition } = intact.json<{ nextAnchor: string; lastPosition: number }>();
  expect(lastPosition).toBeGreaterThanOrEqual(PROJECTS);
  expect((await verify('--anchor', nextAnchor)).status).toBe(0);
  await change(directory.path, async (db) =>
    db.updateTable('audit_record').set({ operator: 'eve' }).where('position', '=', 2).execute(),
  );
  const changed = await verify();
  expect(changed).toMatchObject({
    status: 1,
    error: expect.stringContaining('first breaks at record 2, which is changed') as string,
  });
  await change(directory.path, async (db) => db.deleteFrom('audit_record').where('position', '<=', 2).execute());
  expect((await verify()).error).toContain('first breaks at record 1, which is missing');
  await change(directory.path, async (db) => {
    await db.deleteFrom('audit_record').execute();
    await db.updateTable('audit_chain').set({ last_position: 0, last_hash: '' }).execute();
  });
  expect((await verify()).status).toBe(0);
  const cut = await verify('--anchor', nextAnchor);
  expect(cut).toMatchObject({
    status: 1,
    error: expect.stringContaining(`ends before record ${lastPosition}`) as string,
  });
  expect(await verify('--anchor', 'nonsense')).toMatchObject({ status: 1, out: '' });
});

async function fillLog(directory: string): Promise<void> {
  await using site = await openPlainSite(plainConfiguration(directory));
  for (let index = 0; index < PROJECTS; index++) {
    const made = await site.call('POST', '/projects', { project_name: `p${index}` });
    expect(made.status).toBe(201);
  }
}

async function change(
  directory: string,
  how: (db: Awaited<ReturnType<typeof openDatabase>>['db']) => Promise<unknown>,
): Promise<void> {
  await using database = await openDatabase({ kind: 'sqlite', path: join(directory, 'registry.db') });
  await how(database.db);
}

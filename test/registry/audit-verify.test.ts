import { join } from 'node:path';
import { silentLogger } from '@vic/log';
import { openDatabase } from '@vic/sql';
import { temporaryDirectory } from '@vic/testkit';
import { expect, it } from 'vitest';
import { defaultConfiguration } from '../../apps/registry/src/configuration.ts';
import { startRegistry } from '../../apps/registry/src/serve.ts';
import { registry } from './command-line.ts';

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
  const given = { externalUrl: 'http://registry.example', host: '127.0.0.1', port: 0, notaryPort: undefined };
  const configuration = { ...defaultConfiguration(directory, given), tls: 'none' as const };
  await using running = await startRegistry(configuration, silentLogger());
  if (!('port' in running.address)) throw new Error('no port');
  const { name, password } = running.administrator ?? { name: '', password: '' };
  for (let index = 0; index < PROJECTS; index++) {
    const answer = await fetch(`http://127.0.0.1:${running.address.port}/api/v2.0/projects`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
      },
      body: JSON.stringify({ project_name: `p${index}` }),
    });
    expect(answer.status).toBe(201);
  }
}

async function change(
  directory: string,
  how: (db: Awaited<ReturnType<typeof openDatabase>>['db']) => Promise<unknown>,
): Promise<void> {
  await using database = await openDatabase({ kind: 'sqlite', path: join(directory, 'registry.db') });
  await how(database.db);
}

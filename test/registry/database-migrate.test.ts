import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DatabaseLocation, openDatabase } from '@vic/sql';
import { PostgresServer, postgresUnavailable } from '@vic/sql/testing';
import { temporaryDirectory } from '@vic/testkit';
import { describe, expect, it } from 'vitest';
import { registry } from './command-line.ts';
import { basic, openPlainSite, plainConfiguration } from './plain-site.ts';

describe.skipIf(postgresUnavailable() !== undefined)('database migrate', () => {
  it('moves an installation to PostgreSQL and back; people, robots and secrets stay', async () => {
    await using directory = await temporaryDirectory();
    await using server = await PostgresServer.start();
    await using fresh = await server.temporaryDatabase();
    if (fresh.location.kind !== 'postgres') throw new Error('not on PostgreSQL');
    const data = join(directory.path, 'data');
    const config = join(directory.path, 'registry.yaml');
    const { url } = fresh.location;
    await writeFile(config, JSON.stringify({ ...(await fileOf(data)), database: { url } }));
    const made = await makeInstallation(data);
    const moved = await registry('database', 'migrate', '--from', data, '--to', config, '--json');
    expect(moved).toMatchObject({ status: 0 });
    expect(moved.json()).toMatchObject({ from: 'sqlite', to: 'postgres' });
    {
      await using site = await openPlainSite(plainConfiguration(data, { database: { url } }), made);
      expect((await site.call('GET', '/projects/mine')).status).toBe(200);
      await expectRobot(site.url, made.robot);
      const second = await site.call('POST', '/projects', { project_name: 'second' });
      expect(second.status).toBe(201);
      await expect.poll(async () => pools(fresh.location)).toBe(1);
      const running = await registry('database', 'migrate', '--from', config, '--to', join(directory.path, 'x'));
      expect(running).toMatchObject({ status: 1, error: expect.stringContaining('A registry runs') as string });
    }
    const back = join(directory.path, 'back');
    expect(await registry('database', 'migrate', '--from', config, '--to', back)).toMatchObject({ status: 0 });
    expect((await stat(join(back, 'secret.key'))).mode & 0o777).toBe(0o600);
    await using site = await openPlainSite(plainConfiguration(back), made);
    expect((await site.call('GET', '/projects/second')).status).toBe(200);
    await expectRobot(site.url, made.robot);
    const again = await registry('database', 'migrate', '--from', data, '--to', config);
    expect(again).toMatchObject({ status: 1, error: expect.stringContaining('not empty') as string });
  });
});

it('database migrate refuses a registry that runs, one database for both, and a directory without a registry', async () => {
  await using directory = await temporaryDirectory();
  const data = join(directory.path, 'data');
  const target = join(directory.path, 'target');
  const migrate = async (from: string, to: string): Promise<string> => {
    const { status, error } = await registry('database', 'migrate', '--from', from, '--to', to);
    expect(status).toBe(1);
    return error;
  };
  expect(await migrate(data, target)).toContain('There is no registry in');
  {
    await using _site = await openPlainSite(plainConfiguration(data));
    await expect.poll(async () => pools({ kind: 'sqlite', path: join(data, 'registry.db') })).toBe(1);
    expect(await migrate(data, target)).toContain(`process ${process.pid}`);
  }
  expect(await migrate(data, data)).toContain('same database');
  expect((await registry('database', 'migrate', '--from', data)).error).toContain('--to is missing');
});

interface Made {
  readonly password: string;
  readonly robot: { readonly name: string; readonly secret: string };
}

async function makeInstallation(data: string): Promise<Made> {
  await using site = await openPlainSite(plainConfiguration(data));
  await site.call('POST', '/projects', { project_name: 'mine' });
  const answer = await site.call('POST', '/robots', {
    name: 'ci',
    level: 'system',
    duration: -1,
    permissions: [{ kind: 'system', namespace: '/', access: [{ resource: 'project', action: 'list' }] }],
  });
  expect(answer.status).toBe(201);
  return { password: site.password, robot: (await answer.json()) as Made['robot'] };
}

async function expectRobot(url: string, { name, secret }: Made['robot']): Promise<void> {
  const headers = { authorization: basic(name, secret) };
  expect((await fetch(`${url}/api/v2.0/projects`, { headers })).status).toBe(200);
  const token = await fetch(`${url}/service/token?service=harbor-registry`, { headers });
  expect(token.status).toBe(200);
}

async function fileOf(dataDirectory: string): Promise<object> {
  return { externalUrl: 'http://registry.example', dataDirectory, listen: { host: '127.0.0.1', port: 0 }, tls: 'none' };
}

/** How many processes have said that they are there. */
async function pools(location: DatabaseLocation): Promise<number> {
  await using database = await openDatabase(location);
  return (await database.db.selectFrom('job_pool').select('id').execute()).length;
}

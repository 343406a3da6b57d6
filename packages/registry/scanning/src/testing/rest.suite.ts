import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { OpenTemporaryDatabase } from '@vic/sql/testing';
import { osvDocuments } from '@vic/vulnerabilities/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FakeScanner } from './fake-scanner.ts';
import { ScanningWorld } from './scanning-world.ts';

const DEBIAN = {
  'etc/os-release': 'ID=debian\nVERSION_ID="12"\n',
  'var/lib/dpkg/status': 'Package: libssl3\nVersion: 3.0.8-1\nSource: openssl\n\nPackage: apt\nVersion: 2.6.1\n',
};

/** Scanners, scans of everything, the security hub, exports and advisories, as their clients see them. */
export function restSuite(open: OpenTemporaryDatabase): void {
  let world: ScanningWorld;
  beforeAll(async () => {
    world = await ScanningWorld.open(open);
    await world.importAdvisories(osvDocuments);
    await world.pushImage('library/one', [DEBIAN], 'v1');
    await world.pushImage('library/two', [{ ...DEBIAN, 'app/go.sum': '' }], 'v2');
  });
  afterAll(async () => world[Symbol.asyncDispose]());

  test('the built-in scanner is there, the default, and cannot be changed', async () => {
    const list = await world.call('GET', '/scanners');
    expect(list.headers.get('x-total-count')).toBe('1');
    expect(list.json).toMatchObject([{ name: 'Built-in', is_default: true, disabled: false, auth: '' }]);
    const [{ uuid }] = list.json as [{ uuid: string }];
    expect((await world.call('GET', `/scanners/${uuid}/metadata`)).json).toMatchObject({
      scanner: { name: 'VIC Scanner' },
      capabilities: [{ type: 'vulnerability' }, { type: 'sbom' }],
      properties: { 'harbor.scanner-adapter/vulnerability-database-updated-at': '2024-05-20T00:00:00.000Z' },
    });
    expect((await world.call('DELETE', `/scanners/${uuid}`)).status).toBe(403);
    expect((await world.call('GET', '/scanners', { as: 'dev' })).status).toBe(403);
    expect((await world.call('GET', '/scanners/nothing')).status).toBe(404);
  });

  test('scanners are registered, chosen, made the default and removed; credentials are never given back', async () => {
    await using fake = await FakeScanner.start();
    const settings = { name: 'Trivy', url: fake.url, auth: 'X-ScannerAdapter-API-Key', access_credential: 'key' };
    expect((await world.call('POST', '/scanners/ping', { body: settings })).status).toBe(200);
    expect(
      (await world.call('POST', '/scanners/ping', { body: { ...settings, url: 'http://127.0.0.1:1' } })).status,
    ).toBe(503);
    expect(
      (await world.call('POST', '/scanners', { body: { ...settings, access_credential: '' } })).json,
    ).toMatchObject({
      errors: [
        { code: 'BAD_REQUEST', message: 'access_credential is required for auth type X-ScannerAdapter-API-Key' },
      ],
    });
    expect((await world.call('POST', '/scanners', { body: { ...settings, auth: 'Digest' } })).status).toBe(400);
    const created = await world.call('POST', '/scanners', { body: settings });
    expect(created.status).toBe(201);
    const path = `/scanners/${created.headers.get('location')?.split('/').at(-1)}`;
    expect((await world.call('POST', '/scanners', { body: settings })).status).toBe(409);
    const shown = await world.call('GET', path);
    expect(shown.json).toMatchObject({ name: 'Trivy', auth: 'X-ScannerAdapter-API-Key' });
    expect(shown.text).not.toContain('key"');
    const rows = await world.database.db.selectFrom('scanner_registrations').select('credential').execute();
    expect(rows.every(({ credential }) => credential !== 'key')).toBe(true);
    expect(
      (await world.call('PUT', path, { body: { ...settings, access_credential: '', description: 'd' } })).status,
    ).toBe(200);
    expect((await world.call('GET', `${path}/metadata`)).json).toMatchObject({ scanner: { name: 'Fake' } });
    expect(fake.credentials.at(-1)).toBe('key');
    expect((await world.call('PATCH', path, { body: { is_default: true } })).status).toBe(200);
    expect((await world.call('PUT', path, { body: { ...settings, disabled: true } })).status).toBe(412);
    expect((await world.call('GET', '/projects/library/scanner')).json).toMatchObject({
      name: 'Trivy',
      health: 'healthy',
      capabilities: { support_sbom: true },
    });
    expect((await world.call('GET', '/projects/library/scanner/candidates')).json).toHaveLength(2);
    expect((await world.call('PUT', '/projects/library/scanner', { body: { uuid: 'none' } })).status).toBe(404);
    expect((await world.call('DELETE', path)).status).toBe(200);
    expect((await world.call('GET', '/projects/library/scanner')).json).toMatchObject({
      name: 'Built-in',
      is_default: true,
    });
  });

  test('everything is scanned by hand, with metrics', async () => {
    expect((await world.call('GET', '/scans/all/metrics')).json).toMatchObject({ total: 0, ongoing: false });
    expect((await world.call('POST', '/system/scanAll/stop')).status).toBe(400);
    const body = { schedule: { type: 'Manual', cron: '' } };
    expect((await world.call('POST', '/system/scanAll/schedule', { body })).status).toBe(201);
    await world.settle();
    expect((await world.call('GET', '/scans/all/metrics')).json).toEqual({
      total: 2,
      completed: 2,
      metrics: { Pending: 0, Running: 0, Success: 2, Error: 0, Stopped: 0 },
      ongoing: false,
      trigger: 'Manual',
    });
    expect((await world.call('GET', '/scans/all/metrics', { as: 'dev' })).status).toBe(403);
  });

  test('everything is scanned at certain times', async () => {
    const path = '/system/scanAll/schedule';
    expect((await world.call('GET', path)).json).toEqual({});
    expect((await world.call('POST', path, { body: { schedule: { type: 'Daily', cron: 'nonsense' } } })).status).toBe(
      400,
    );
    expect(
      (await world.call('POST', path, { body: { schedule: { type: 'Daily', cron: '0 0 3 * * *' } } })).status,
    ).toBe(201);
    expect(
      (await world.call('POST', path, { body: { schedule: { type: 'Daily', cron: '0 0 4 * * *' } } })).status,
    ).toBe(412);
    expect(
      (await world.call('PUT', path, { body: { schedule: { type: 'Weekly', cron: '0 0 4 * * 0' } } })).status,
    ).toBe(200);
    expect((await world.call('GET', path)).json).toMatchObject({ schedule: { type: 'Weekly', cron: '0 0 4 * * 0' } });
    expect((await world.call('PUT', path, { body: { schedule: { type: 'Manual' } } })).status).toBe(400);
    expect((await world.call('PUT', path, { body: { schedule: { type: 'None' } } })).status).toBe(200);
    expect((await world.call('GET', path)).json).toEqual({});
  });

  test('the security hub sums up and lists', async () => {
    const summary = await world.call('GET', '/security/summary?with_dangerous_cve=true&with_dangerous_artifact=true');
    expect(summary.json).toMatchObject({
      critical_cnt: 0,
      high_cnt: 2,
      low_cnt: 2,
      unknown_cnt: 2,
      total_vuls: 6,
      fixable_cnt: 4,
      scanned_cnt: 2,
      total_artifact: 2,
      dangerous_cves: { 0: { cve_id: 'CVE-2023-0464', cvss_score_v3: 7.5 } },
      dangerous_artifacts: [{ high_cnt: 1 }, { high_cnt: 1 }],
    });
    const list = async (q: string) => world.call('GET', `/security/vul?with_tag=true&q=${encodeURIComponent(q)}`);
    const all = await list('');
    expect(all.headers.get('x-total-count')).toBe('6');
    expect((all.json as { severity: string }[])[0]).toMatchObject({
      cve_id: 'CVE-2023-0464',
      tags: ['v1'],
      fixed_version: '3.0.9-1',
    });
    expect((await list('cve_id=CVE-2011-3374,tag=v2')).json).toMatchObject([
      { repository_name: 'library/two', package: 'apt' },
    ]);
    expect((await list('cvss_score_v3=[7~8]')).headers.get('x-total-count')).toBe('2');
    expect((await list('severity=High,repository_name=library/one')).json).toHaveLength(1);
    expect((await list('nonsense=1')).status).toBe(400);
    expect((await world.call('GET', '/security/summary', { as: 'dev' })).status).toBe(403);
  });

  test('vulnerabilities are exported as CSV, once, to whoever asked', async () => {
    const headers = { 'x-scan-data-type': 'application/vnd.security.vulnerability.report; version=1.1' };
    const criteria = {
      job_name: 'x',
      projects: [world.project.id],
      repositories: '{one,other}',
      cveIds: 'CVE-2023-*',
      tags: 'v*',
    };
    expect((await world.call('POST', '/export/cve', { body: criteria })).status).toBe(400);
    expect((await world.call('POST', '/export/cve', { body: { ...criteria, projects: [] }, headers })).status).toBe(
      400,
    );
    expect((await world.call('POST', '/export/cve', { body: { ...criteria, tags: 'a b' }, headers })).status).toBe(400);
    const started = await world.call('POST', '/export/cve', { body: criteria, headers });
    const { id } = started.json as { id: number };
    await world.settle();
    expect((await world.call('GET', `/export/cve/execution/${id}`)).json).toMatchObject({
      id,
      user_name: 'admin',
      status: 'Success',
      file_present: true,
    });
    expect((await world.call('GET', '/export/cve/executions')).json).toMatchObject({ items: [{ id }] });
    expect((await world.call('GET', `/export/cve/download/${id}`, { as: 'dev' })).status).toBe(403);
    const file = await world.call('GET', `/export/cve/download/${id}`);
    const [head, ...lines] = file.text.trim().split('\n');
    expect(head).toBe(
      'Repository,Artifact Digest,CVE,Package,Current Version,Fixed in version,Severity,CWE Ids,Additional Data,Scanner',
    );
    expect(
      lines.map((line) =>
        line
          .split(',')
          .filter((_, index) => index !== 1)
          .slice(0, 6)
          .join(' '),
      ),
    ).toEqual([
      'library/one CVE-2023-0464 libssl3 3.0.8-1 3.0.9-1 High',
      'library/one CVE-2023-0465 libssl3 3.0.8-1 3.0.9-1 Unknown',
    ]);
    expect((await world.call('GET', `/export/cve/download/${id}`)).status).toBe(404);
  });

  test('a feed is imported from its URL, and not again while it is the same', async () => {
    const server = createServer((request, response) => {
      const isKnown = request.headers['if-none-match'] === '"1"';
      response
        .writeHead(isKnown ? 304 : 200, { etag: '"1"' })
        .end(isKnown ? undefined : JSON.stringify(osvDocuments[0]));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const body = { name: 'web', url: `http://127.0.0.1:${port}/all.json` };
    const logs: string[] = [];
    for (let turn = 0; turn < 2; turn++) {
      const answer = await world.call('POST', '/system/advisories', { body });
      expect(answer.status).toBe(202);
      await world.settle();
      logs.push(await world.scanning.deps.jobs.readLog((answer.json as { job_id: number }).job_id));
    }
    await new Promise((resolve) => server.close(resolve));
    expect(logs[0]).toContain('8 advisories are known.');
    expect(logs[1]).toContain('The feed has not changed since it was imported.');
    expect((await world.call('DELETE', '/system/advisories/web')).status).toBe(200);
    await world.settle();
  });

  test('an import that fails is found by its address and in the list, with its error', async () => {
    const server = createServer((_request, response) => void response.writeHead(418).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const body = { name: 'away', url: `http://127.0.0.1:${port}/all.json` };
    const { json, headers } = await world.call('POST', '/system/advisories', { body });
    const { id, job_id: jobId } = json as { id: number; job_id: number };
    expect(headers.get('location')).toMatch(new RegExp(`/system/advisories/imports/${id}$`));
    const read = async (): Promise<unknown> => (await world.call('GET', `/system/advisories/imports/${id}`)).json;
    await expect.poll(read, { timeout: 20_000 }).toMatchObject({ error: `${body.url} answered 418.` });
    expect(await read()).toMatchObject({ id, job_id: jobId, ...body, mode: 'replace' });
    expect((await world.call('GET', '/system/advisories/imports')).json).toContainEqual(await read());
    expect((await world.call('GET', '/system/advisories/imports/999999')).status).toBe(404);
    await world.scanning.deps.jobs.stopExecution(id);
    await new Promise((resolve) => server.close(resolve));
  });

  test('advisories show how much is known and how old it is', async () => {
    expect((await world.call('GET', '/system/advisories')).json).toMatchObject({
      advisory_count: 7,
      state: 'current',
      feeds: [{ name: 'test' }],
    });
    world.passTime(8 * 24 * 60 * 60_000);
    expect((await world.call('GET', '/system/advisories')).json).toMatchObject({ state: 'stale' });
    expect(
      (await world.call('POST', '/system/advisories', { body: { name: 'x', url: 'file:///etc/passwd' } })).status,
    ).toBe(400);
    expect((await world.call('DELETE', '/system/advisories/test')).status).toBe(200);
    await world.settle();
    expect((await world.call('GET', '/system/advisories')).json).toMatchObject({
      advisory_count: 0,
      state: 'empty',
      feeds: [],
    });
    expect((await world.call('DELETE', '/system/advisories/test')).status).toBe(404);
  });
}

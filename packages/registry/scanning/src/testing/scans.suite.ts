import type { OpenTemporaryDatabase } from '@vic/sql/testing';
import { osvDocuments } from '@vic/vulnerabilities/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FakeScanner } from './fake-scanner.ts';
import { type ImageFiles, SCANNER_ROBOT, ScanningWorld, userNamed } from './scanning-world.ts';

const OPENSSL = '3.0.8-1';
const REPORT = 'application/vnd.security.vulnerability.report; version=1.1';

function debian(openssl = OPENSSL, more: ImageFiles = {}): ImageFiles {
  return {
    'etc/os-release': 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\n',
    'var/lib/dpkg/status': `Package: libssl3\nStatus: install ok installed\nVersion: ${openssl}\nSource: openssl\nArchitecture: amd64\n\nPackage: apt\nStatus: install ok installed\nVersion: 2.6.1\n`,
    ...more,
  };
}

const scanPath = (repository: string, reference: string): string =>
  `/projects/library/repositories/${encodeURIComponent(encodeURIComponent(repository))}/artifacts/${reference}/scan`;

/** Scans of every kind, from the request to the report, the gate and the events. */
export function scansSuite(open: OpenTemporaryDatabase): void {
  let world: ScanningWorld;
  beforeAll(async () => {
    world = await ScanningWorld.open(open);
  });
  afterAll(async () => world[Symbol.asyncDispose]());

  test('nothing is known: a scan fails by name, and the report is made when advisories come', async () => {
    const image = await world.pushImage('library/early', [debian()], 'v1');
    expect((await world.call('POST', scanPath('early', 'v1'))).status).toBe(202);
    await world.settle();
    expect(await world.overview(image)).toMatchObject({
      scan_status: 'Error',
      severity: 'Unknown',
      error: expect.stringContaining('No advisories are known'),
    });
    expect(await world.events('scan.failed')).toMatchObject([
      { repository: 'library/early', tags: ['v1'], status: 'Error' },
    ]);
    await world.importAdvisories(osvDocuments);
    await world.scanning.deps.jobs.enqueue({ kind: 'REEVALUATE_REPORTS', payload: {} });
    await world.settle();
    expect(await world.overview(image)).toMatchObject({
      scan_status: 'Success',
      severity: 'High',
      summary: { total: 3, fixable: 2, summary: { High: 1, Negligible: 1, Unknown: 1 } },
      database: { advisory_count: 7, modified_at: '2024-05-20T00:00:00.000Z' },
    });
    expect(await world.events('scan.completed')).toMatchObject([{ operator: 'advisories', severity: 'High' }]);
  });

  test('new advisories change reports without the layers being read again', async () => {
    const image = await world.pushImage(
      'library/again',
      [debian(OPENSSL, { 'srv/node_modules/lodash/package.json': '{"name":"lodash","version":"4.17.20"}' })],
      'v1',
    );
    await world.call('POST', scanPath('again', 'v1'));
    await world.settle();
    expect(await world.overview(image)).toMatchObject({ summary: { total: 4 } });
    const blobs = await world.database.db.selectFrom('image_inventories').select('digest').execute();
    expect(blobs.map(({ digest }) => digest)).toContain(image.digest);
    await world.importAdvisories(
      [{ id: 'DEBIAN-CVE-2011-3374', modified: '2026-01-01T00:00:00Z', withdrawn: '2026-01-01T00:00:00Z' }],
      'merge',
    );
    await world.scanning.deps.jobs.enqueue({ kind: 'REEVALUATE_REPORTS', payload: {} });
    await world.settle();
    expect(await world.overview(image)).toMatchObject({
      summary: { total: 3, summary: { High: 2, Unknown: 1 } },
    });
    await world.importAdvisories(osvDocuments);
  });

  test('what is pushed is scanned, and gets an SBOM, where the project wants it', async () => {
    await world.setMetadata({ auto_scan: 'true', auto_sbom_generation: 'true' });
    const image = await world.pushImage('library/pushed', [debian()], 'v1');
    await world.settle();
    await world.setMetadata({});
    expect(await world.overview(image)).toMatchObject({ scan_status: 'Success', severity: 'High' });
    const [sbom] = (await world.scanning.providers.sbomOverviews([world.summary(image)])).values();
    expect(sbom).toMatchObject({ scan_status: 'Success', sbom_digest: expect.stringMatching(/^sha256:/) });
    const referrers = await world.store.listReferrers('library/pushed', image.digest);
    expect(referrers).toMatchObject([
      { digest: sbom?.['sbom_digest'], artifactType: 'application/vnd.goharbor.harbor.sbom.v1' },
    ]);
    const document = await world.scanning.providers.sbom(world.summary(image, 'library/pushed'));
    expect(document).toMatchObject({ spdxVersion: 'SPDX-2.3', name: 'registry.example.com/library/pushed' });
    const summary = world.summary(image, 'library/pushed');
    expect(await world.scanning.providers.sbom(summary, 'spdx')).toEqual(document);
    expect(await world.scanning.providers.sbom(summary, 'cyclonedx')).toMatchObject({
      bomFormat: 'CycloneDX',
      metadata: { component: { name: 'registry.example.com/library/pushed' } },
    });
    const events = await world.events('scan.completed');
    expect(
      new Set(events.filter(({ repository }) => repository === 'library/pushed').map(({ scanType }) => scanType)),
    ).toEqual(new Set(['sbom', 'vulnerability']));
    const cycloneDx = await world.call('GET', `${scanPath('pushed', 'v1')}/sbom?format=cyclonedx`);
    expect(cycloneDx.json).toMatchObject({
      bomFormat: 'CycloneDX',
      components: { 1: { purl: 'pkg:deb/debian/libssl3@3.0.8-1?arch=amd64&distro=debian-12' } },
    });
    expect((await world.call('GET', `${scanPath('pushed', 'v1')}/sbom`)).json).toMatchObject({
      spdxVersion: 'SPDX-2.3',
    });
    expect((await world.call('GET', `${scanPath('pushed', 'v1')}/sbom?format=xml`)).status).toBe(400);
  });

  test('the report is given in the type the client accepts, and raw', async () => {
    const image = await world.pushImage('library/report', [debian()], 'v1');
    await world.call('POST', scanPath('report', 'v1'), { body: { scan_type: 'vulnerability' } });
    await world.settle();
    const { providers } = world.scanning;
    const report = await providers.vulnerabilities(world.summary(image), [REPORT]);
    expect(report?.[REPORT]).toMatchObject({
      severity: 'High',
      scanner: { name: 'VIC Scanner' },
      vulnerabilities: [
        {
          id: 'CVE-2023-0464',
          package: 'libssl3',
          version: OPENSSL,
          fix_version: '3.0.9-1',
          severity: 'High',
          preferred_cvss: { score_v3: 7.5 },
        },
        { id: 'CVE-2011-3374', severity: 'Negligible', fix_version: '' },
        { id: 'CVE-2023-0465', severity: 'Unknown' },
      ],
    });
    const native = 'application/vnd.scanner.adapter.vuln.report.harbor+json; version=1.0';
    expect(Object.keys((await providers.vulnerabilities(world.summary(image), [native])) ?? {})).toEqual([native]);
    const raw = 'application/vnd.scanner.adapter.vuln.report.raw';
    expect((await providers.vulnerabilities(world.summary(image), [raw]))?.[raw]).toMatchObject({
      package_count: 2,
      warnings: [],
    });
    const overview = await world.overview(image);
    const log = await world.call('GET', `${scanPath('report', 'v1')}/${String(overview?.['report_id'])}/log`);
    expect(log.text).toContain('3 vulnerabilities, 2 with a fix; worst: High.');
    expect((await world.call('GET', `${scanPath('early', 'v1')}/${String(overview?.['report_id'])}/log`)).status).toBe(
      404,
    );
  });

  test('an index shows its members together', async () => {
    const members = [
      await world.pushImage('library/multi', [debian()]),
      await world.pushImage('library/multi', [debian('3.0.9-1')]),
    ];
    const index = await world.pushIndex('library/multi', members, 'latest');
    await world.call('POST', scanPath('multi', 'latest'));
    await world.settle();
    expect(await world.overview(index)).toMatchObject({
      scan_status: 'Success',
      severity: 'High',
      complete_percent: 100,
      summary: { total: 4 },
    });
    const report = await world.scanning.providers.vulnerabilities(world.summary(index), [REPORT]);
    expect(report?.[REPORT]).toMatchObject({ vulnerabilities: { length: 3 } });
    const id = encodeURIComponent(String((await world.overview(index))?.['report_id']));
    expect(
      (await world.call('GET', `${scanPath('multi', 'latest')}/${id}/log`)).text.match(/vulnerabilities,/g),
    ).toHaveLength(2);
  });

  test('a distribution without advisories is Unknown, not clean', async () => {
    const image = await world.pushImage(
      'library/slack',
      [{ 'etc/os-release': 'ID=slackware\nVERSION_ID=15\n', 'var/lib/dpkg/status': 'Package: a\nVersion: 1\n' }],
      'v1',
    );
    await world.call('POST', scanPath('slack', 'v1'));
    await world.settle();
    expect(await world.overview(image)).toMatchObject({
      scan_status: 'Success',
      severity: 'Unknown',
      summary: { total: 0 },
    });
  });

  test('an image that cannot be read fails with the reason, and the others go on', async () => {
    const { digest, artifactId } = await world.pushImage(
      'library/broken',
      [{ 'var/lib/rpm/rpmdb.sqlite': 'junk', '../../etc/passwd': 'x' }],
      'v1',
    );
    await world.call('POST', scanPath('broken', digest));
    await world.settle();
    expect(await world.overview({ digest, artifactId, size: 0 })).toMatchObject({
      scan_status: 'Error',
      error: expect.stringMatching(/archive|name/i),
    });
  });

  test('requests are refused as Harbor does', async () => {
    expect((await world.call('POST', scanPath('nothing', 'v1'))).status).toBe(404);
    expect((await world.call('POST', scanPath('early', 'v1'), { as: 'dev' })).status).toBe(403);
    expect((await world.call('POST', scanPath('early', 'v1'), { as: null })).status).toBe(401);
    const stop = await world.call('POST', `${scanPath('early', 'v1')}/stop`, { body: { scan_type: 'sbom' } });
    expect(stop).toMatchObject({
      status: 400,
      json: { errors: [{ message: expect.stringContaining('no scan job for artifact digest=') }] },
    });
  });

  test('inventories and reports go with the artifact', async () => {
    const image = await world.pushImage('library/gone', [debian('3.0.7-1')], 'v1');
    await world.call('POST', scanPath('gone', 'v1'));
    await world.settle();
    await world.delete('library/gone', 'v1');
    await world.settle();
    const { db } = world.database;
    expect(
      await db.selectFrom('image_inventories').select('digest').where('digest', '=', image.digest).execute(),
    ).toEqual([]);
    expect(
      await db.selectFrom('scan_reports').select('id').where('artifact_id', '=', image.artifactId).execute(),
    ).toEqual([]);
  });

  describe('the gate', () => {
    const refusedWith = (message: string) => ({
      class: 'FailedPrecondition',
      code: 'POLICY_VULNERABLE',
      message: expect.stringContaining(message),
    });
    const policy = `cannot be pulled due to configured policy in 'Prevent images with vulnerability severity of "High" or higher from running.'`;

    test('refuses what was not scanned, what is being scanned and what is vulnerable', async () => {
      const image = await world.pushImage('library/gated', [debian()], 'v1');
      expect(await world.pull('library/gated', 'v1')).toBe(image.digest);
      await world.setMetadata({ prevent_vul: 'true', severity: 'high' });
      await expect(world.pull('library/gated', 'v1')).rejects.toMatchObject(
        refusedWith(
          `current image without vulnerability scanning ${policy} To continue with pull, please contact your project administrator for help.`,
        ),
      );
      await world.call('POST', scanPath('gated', 'v1'));
      await world.settle();
      await expect(world.pull('library/gated', 'v1')).rejects.toMatchObject(
        refusedWith(
          `current image with 3 vulnerabilities ${policy} To continue with pull, please contact your project administrator to exempt matched vulnerabilities through configuring the CVE allowlist.`,
        ),
      );
      await world.setMetadata({ prevent_vul: 'true', severity: 'critical' });
      expect(await world.pull('library/gated', 'v1')).toBe(image.digest);
    });

    test('lets scanners, signers, indexes and what nothing can scan pass', async () => {
      await world.setMetadata({ prevent_vul: 'true', severity: 'low' });
      const member = await world.pushImage('library/passes', [debian()], 'v1');
      const index = await world.pushIndex('library/passes', [member], 'multi');
      expect(await world.pull('library/passes', 'multi')).toBe(index.digest);
      expect(await world.pull('library/passes', 'v1', { principal: SCANNER_ROBOT })).toBe(member.digest);
      expect(await world.pull('library/passes', 'v1', { principal: userNamed('dev'), userAgent: 'cosign/v2.4' })).toBe(
        member.digest,
      );
      await expect(world.pull('library/passes', 'v1', { principal: userNamed('admin') })).rejects.toMatchObject({
        code: 'POLICY_VULNERABLE',
      });
    });

    test('heeds the allowlist, fixes and the grace period', async () => {
      const image = await world.pushImage('library/lenient', [debian()], 'v1');
      await world.setMetadata({ prevent_vul: 'true', severity: 'high' });
      await world.call('POST', scanPath('lenient', 'v1'));
      await world.settle();
      const refuses = async (): Promise<boolean> =>
        world.pull('library/lenient', 'v1').then(
          () => false,
          () => true,
        );
      expect(await refuses()).toBe(true);
      const allow = async (ids: string, expires: number | null): Promise<void> => {
        const values = { cve_ids: ids, expires_at_s: expires, updated_at_ms: 1 };
        await world.database.db
          .insertInto('cve_allowlists')
          .values({ project_id: world.project.id, created_at_ms: 1, ...values })
          .onConflict((conflict) => conflict.column('project_id').doUpdateSet(values))
          .execute();
      };
      await allow('["CVE-2023-0464"]', null);
      expect(await refuses()).toBe(false);
      await allow('["CVE-2023-0464"]', 1000);
      expect(await refuses()).toBe(true);
      await world.setMetadata({ prevent_vul: 'true', severity: 'negligible', prevent_vul_fixable_only: 'true' });
      await expect(world.pull('library/lenient', 'v1')).rejects.toMatchObject(
        refusedWith('current image with 2 vulnerabilities'),
      );
      await world.setMetadata({ prevent_vul: 'true', severity: 'high', prevent_vul_grace_days: '7' });
      expect(await world.pull('library/lenient', 'v1')).toBe(image.digest);
      world.passTime(8 * 24 * 60 * 60_000);
      expect(await refuses()).toBe(true);
      await world.setMetadata({});
    });
  });

  describe('a scanner behind an adapter', () => {
    let scanner: FakeScanner;
    let uuid = '';
    beforeAll(async () => {
      scanner = await FakeScanner.start();
      const body = {
        name: 'Fake',
        url: scanner.url,
        auth: 'Bearer',
        access_credential: 'secret',
        use_internal_addr: true,
      };
      const created = await world.call('POST', '/scanners', { body });
      uuid = created.headers.get('location')?.split('/').at(-1) ?? '';
      await world.call('PUT', '/projects/library/scanner', { body: { uuid } });
    });
    afterAll(async () => {
      await world.call('DELETE', `/scanners/${uuid}`);
      await scanner[Symbol.asyncDispose]();
    });

    test('is asked with a robot of its own, and its report is kept', async () => {
      scanner.notYet = 1;
      scanner.vulnerabilities = [
        {
          id: 'CVE-2024-1',
          package: 'a',
          version: '1',
          fix_version: '2',
          severity: 'High',
          links: ['https://x'],
          preferred_cvss: { score_v3: 8.1, vector_v3: 'CVSS:3.1/x' },
          cwe_ids: ['CWE-1'],
        },
        { id: 'CVE-2024-2', package: 'a', version: '1', severity: 'weird' },
      ];
      const image = await world.pushImage('library/adapted', [debian()], 'v1');
      expect((await world.call('POST', scanPath('adapted', 'v1'))).status).toBe(202);
      await world.settle();
      expect(scanner.requests).toMatchObject([
        {
          registry: { url: 'http://registry:8080', authorization: 'Basic cm9ib3Q6c2VjcmV0' },
          artifact: {
            repository: 'library/adapted',
            digest: image.digest,
            tag: 'v1',
            mime_type: 'application/vnd.oci.image.manifest.v1+json',
          },
          enabled_capabilities: [{ type: 'vulnerability', produces_mime_types: [REPORT] }],
        },
      ]);
      expect(new Set(scanner.credentials)).toEqual(new Set(['Bearer secret']));
      expect(world.robots).toEqual([{ repository: 'library/adapted', revoked: true }]);
      expect(await world.overview(image)).toMatchObject({
        severity: 'High',
        scanner: { name: 'Fake' },
        summary: { total: 2, fixable: 1, summary: { High: 1, Unknown: 1 } },
      });
    });

    test('makes SBOMs too', async () => {
      const image = await world.pushImage('library/sbom', [debian()], 'v1');
      await world.call('POST', scanPath('sbom', 'v1'), { body: { scan_type: 'sbom' } });
      await world.settle();
      expect(await world.scanning.providers.sbom(world.summary(image, 'library/sbom'))).toEqual({
        spdxVersion: 'SPDX-2.3',
        name: 'from the adapter',
      });
    });

    test('can be stopped while it works, and its failures are told in its words', async () => {
      const image = await world.pushImage('library/slow', [debian()], 'v1');
      scanner.notYet = 1000;
      await world.call('POST', scanPath('slow', 'v1'));
      await world.untilStatus(image.artifactId, 'Running');
      expect((await world.call('POST', scanPath('slow', 'v1'))).status).toBe(409);
      expect(
        (await world.call('POST', `${scanPath('slow', 'v1')}/stop`, { body: { scan_type: 'vulnerability' } })).status,
      ).toBe(202);
      await world.settle();
      expect(await world.overview(image)).toMatchObject({ scan_status: 'Stopped' });
      expect(await world.events('scan.stopped')).toMatchObject([{ repository: 'library/slow' }]);
      scanner.notYet = 0;
      scanner.failure = { status: 500, message: 'out of disk' };
      await world.call('POST', scanPath('slow', 'v1'));
      await world.settle();
      scanner.failure = undefined;
      expect(await world.overview(image)).toMatchObject({
        scan_status: 'Error',
        error: 'The scanner answered 500: out of disk',
      });
    });
  });
}

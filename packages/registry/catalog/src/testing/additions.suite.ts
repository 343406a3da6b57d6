import { gzipSync } from 'node:zlib';
import { END_OF_ARCHIVE, encodeHeader } from '@vic/tar';
import type { OpenTemporaryDatabase } from '@vic/sql/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CatalogWorld } from './catalog-world.ts';

const CHART_CONFIG = 'application/vnd.cncf.helm.config.v1+json';
const CHART_CONTENT = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
const ACCEPTED = 'application/vnd.security.vulnerability.report; version=1.1';

/** The documents about artifacts: from what was pushed, and from scanning. */
export function additionsSuite(open: OpenTemporaryDatabase): void {
  let world: CatalogWorld;
  beforeAll(async () => {
    world = await CatalogWorld.open(open, {
      overviews: {
        scanOverviews: async (artifacts, accepted) =>
          new Map(artifacts.map(({ id }) => [id, { [accepted[0] ?? '']: { scan_status: 'Success' } }])),
        sbomOverviews: async (artifacts) => new Map(artifacts.map(({ id }) => [id, { scan_status: 'Running' }])),
      },
      reports: {
        vulnerabilities: async (artifact, accepted) => ({ [accepted[0] ?? '']: { digest: artifact.digest } }),
        sbom: async (artifact, format) =>
          artifact.repository === 'library/listed' && format !== 'cyclonedx'
            ? { format: format ?? 'stored' }
            : undefined,
      },
    });
  });
  afterAll(async () => world[Symbol.asyncDispose]());

  it('reads the build history of an image from its configuration', async () => {
    const history = [{ created_by: 'ADD rootfs', created: '2026-01-01T00:00:00Z' }, { empty_layer: true }];
    await world.push('library/image', { tags: ['1'], config: { json: { os: 'linux', history } } });
    const additions = '/projects/library/repositories/image/artifacts/1/additions';
    expect((await world.call('GET', `${additions}/build_history`)).json).toEqual(history);
    expect(await world.call('GET', `${additions}/values.yaml`)).toMatchObject({
      status: 400,
      json: { errors: [{ message: "addition VALUES.YAML isn't supported for IMAGE" }] },
    });
  });

  it('gives an SBOM in the form asked for, or says which there are', async () => {
    await world.push('library/listed', { tags: ['1'] });
    const sbom = '/projects/library/repositories/listed/artifacts/1/additions/sbom';
    expect((await world.call('GET', sbom)).json).toEqual({ format: 'stored' });
    expect((await world.call('GET', `${sbom}?format=spdx`)).json).toEqual({ format: 'spdx' });
    const missing = await world.call('GET', `${sbom}?format=cyclonedx`);
    expect(missing.status).toBe(404);
    expect(missing.text).toContain('has no SBOM in the form cyclonedx');
    const wrong = await world.call('GET', `${sbom}?format=xml`);
    expect(wrong.status).toBe(400);
    expect(wrong.text).toContain(String.raw`format must be one of \"spdx\", \"cyclonedx\"`);
  });

  it('reads readme, values and dependencies of a chart', async () => {
    const chart = 'apiVersion: v2\nname: app\ndependencies:\n- name: redis\n  version: 1.2.3\n  repository: oci://r\n';
    await pushChart(world, 'library/chart', [
      ['app/Chart.yaml', chart],
      ['app/values.yaml', 'replicas: 1\n'],
      ['app/README.md', '# App\n'],
      ['app/charts/redis/values.yaml', 'other: 1\n'],
    ]);
    const additions = '/projects/library/repositories/chart/artifacts/1/additions';
    const readme = await world.call('GET', `${additions}/readme.md`);
    expect(readme).toMatchObject({ status: 200, text: '# App\n' });
    expect(readme.headers.get('content-type')).toBe('text/markdown; charset=utf-8');
    expect(readme.headers.get('x-content-type-options')).toBe('nosniff');
    expect((await world.call('GET', `${additions}/values.yaml`)).text).toBe('replicas: 1\n');
    expect((await world.call('GET', `${additions}/dependencies`)).json).toEqual([
      { name: 'redis', version: '1.2.3', repository: 'oci://r' },
    ]);
  });

  it('answers hostile charts with errors', async () => {
    await pushChart(world, 'library/empty', [['app/Chart.yaml', 'name: app\n']]);
    const path = (name: string): string => `/projects/library/repositories/${name}/artifacts/1/additions/values.yaml`;
    expect((await world.call('GET', path('empty'))).status).toBe(404);
    await world.push('library/broken', {
      tags: ['1'],
      config: { mediaType: CHART_CONFIG, json: {} },
      layers: [{ mediaType: CHART_CONTENT, content: Buffer.from('not gzip') }],
    });
    expect((await world.call('GET', path('broken'))).status).toBe(400);
    await world.push('library/bomb', {
      tags: ['1'],
      config: { mediaType: CHART_CONFIG, json: {} },
      layers: [{ mediaType: CHART_CONTENT, content: gzipSync(Buffer.alloc(80 * 1024 * 1024)) }],
    });
    expect([400, 404, 413]).toContain((await world.call('GET', path('bomb'))).status);
    await pushChart(world, 'library/large', [['app/values.yaml', 'x'.repeat(5 * 1024 * 1024)]]);
    expect((await world.call('GET', path('large'))).status).toBe(413);
  });

  it('lists the files of a model', async () => {
    await world.push('library/model', {
      tags: ['1'],
      artifactType: 'application/vnd.cncf.model.manifest.v1+json',
      config: { mediaType: 'application/vnd.cncf.model.config.v1+json', json: {} },
      layers: [
        { mediaType: 'application/vnd.cncf.model.doc.v1.raw', content: Buffer.from('# Model'), name: 'README.md' },
        { mediaType: 'application/vnd.cncf.model.weight.v1.raw', content: Buffer.from('1234'), name: 'w.bin' },
      ],
    });
    const additions = '/projects/library/repositories/model/artifacts/1/additions';
    expect((await world.call('GET', `${additions}/files`)).json).toEqual([
      { name: 'README.md', type: 'file', size: 7 },
      { name: 'w.bin', type: 'file', size: 4 },
    ]);
    expect((await world.call('GET', `${additions}/readme.md`)).text).toBe('# Model');
    expect((await world.call('GET', `${additions}/license`)).status).toBe(404);
  });

  it('asks scanning for overviews and reports', async () => {
    const pushed = await world.push('library/scanned', { tags: ['1'] });
    const path = '/projects/library/repositories/scanned/artifacts';
    const list = await world.call('GET', `${path}?with_scan_overview=true&with_sbom_overview=true`, {
      headers: { 'x-accept-vulnerabilities': `${ACCEPTED}, application/other` },
    });
    expect(list.json).toMatchObject([
      { scan_overview: { [ACCEPTED]: { scan_status: 'Success' } }, sbom_overview: { scan_status: 'Running' } },
    ]);
    expect((await world.call('GET', `${path}/1`)).json).not.toHaveProperty('scan_overview');
    expect((await world.call('GET', `${path}/1/additions/vulnerabilities`)).json).toEqual({
      [ACCEPTED]: { digest: pushed.digest },
    });
    expect((await world.call('GET', `${path}/1/additions/sbom`)).status).toBe(404);
  });
}

async function pushChart(
  world: CatalogWorld,
  repository: string,
  files: readonly (readonly [string, string])[],
): Promise<void> {
  const parts = files.flatMap(([path, text]) => {
    const content = Buffer.from(text);
    const padding = Buffer.alloc((512 - (content.byteLength % 512)) % 512);
    return [encodeFile(path, content.byteLength), content, padding];
  });
  await world.push(repository, {
    tags: ['1'],
    config: { mediaType: CHART_CONFIG, json: { name: 'app' } },
    layers: [{ mediaType: CHART_CONTENT, content: gzipSync(Buffer.concat([...parts, END_OF_ARCHIVE])) }],
  });
}

function encodeFile(path: string, sizeBytes: number): Buffer {
  return encodeHeader({
    path,
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtimeSeconds: 0,
    sizeBytes,
    linkTarget: '',
    deviceMajor: 0,
    deviceMinor: 0,
    xattrs: new Map(),
  });
}

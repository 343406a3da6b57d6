import type { OpenTemporaryDatabase } from '@vic/sql/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CatalogWorld, type Pushed } from './catalog-world.ts';

const NESTED = '/projects/library/repositories/team%252Fapp';

/** What the catalogue tells of repositories, artifacts, tags and labels, and what it changes. */
export function catalogSuite(open: OpenTemporaryDatabase): void {
  let world: CatalogWorld;
  let v1: Pushed;
  let v2: Pushed;
  beforeAll(async () => {
    world = await CatalogWorld.open(open);
    v1 = await world.push('library/team/app', { tags: ['v1', 'old'], annotations: { note: 'first' } });
    v2 = await world.push('library/team/app', { tags: ['v2'] });
    await world.push('secret/hidden', { tags: ['x'] });
  });
  afterAll(async () => world[Symbol.asyncDispose]());

  it('lists the repositories that the caller may see', async () => {
    const all = await world.call('GET', '/repositories?sort=name');
    expect(all.json).toMatchObject([
      { name: 'library/team/app', artifact_count: 2, pull_count: 0 },
      { name: 'secret/hidden', artifact_count: 1 },
    ]);
    expect(all.headers.get('x-total-count')).toBe('2');
    const forAnybody = await world.call('GET', '/repositories', { as: null });
    expect(forAnybody.json).toMatchObject([{ name: 'library/team/app' }]);
    const filtered = await world.call('GET', '/projects/library/repositories?q=name%3D~APP');
    expect(filtered.json).toHaveLength(1);
    expect((await world.call('GET', '/projects/library/repositories?q=nonsense%3D1')).status).toBe(400);
  });

  it('reads, describes and misses a repository with a slash in its name', async () => {
    expect((await world.call('PUT', NESTED, { body: { description: 'Our <b>app</b>' } })).status).toBe(200);
    expect((await world.call('GET', NESTED)).json).toMatchObject({ description: 'Our <b>app</b>', artifact_count: 2 });
    expect((await world.call('GET', '/projects/library/repositories/team%2Fapp')).status).toBe(200);
    const missing = await world.call('GET', '/projects/library/repositories/none');
    expect(missing).toMatchObject({ status: 404, json: { errors: [{ code: 'NOT_FOUND' }] } });
    expect((await world.call('PUT', NESTED, { as: 'guest', body: { description: 'mine' } })).status).toBe(403);
    expect((await world.call('GET', '/projects/library/repositories/%25ZZ')).status).toBe(400);
  });

  it('lists artifacts newest first with tags, and one by tag or digest', async () => {
    const list = await world.call('GET', `${NESTED}/artifacts`);
    expect(list.json).toMatchObject([
      { digest: v2.digest, type: 'IMAGE', tags: [{ name: 'v2', immutable: false }], labels: null },
      {
        digest: v1.digest,
        manifest_media_type: v1.mediaType,
        media_type: 'application/vnd.oci.image.config.v1+json',
        repository_name: 'library/team/app',
        annotations: { note: 'first' },
        extra_attrs: { architecture: 'amd64', os: 'linux' },
        pull_time: '0001-01-01T00:00:00.000Z',
      },
    ]);
    const byTag = await world.call('GET', `${NESTED}/artifacts/old?with_label=true&with_tag=false`);
    expect(byTag.json).toMatchObject({ digest: v1.digest, tags: null });
    const byDigest = await world.call('GET', `${NESTED}/artifacts/${v1.digest}`);
    expect(byDigest.json).toMatchObject({
      tags: expect.arrayContaining([expect.objectContaining({ name: 'old' })]) as unknown,
      addition_links: {
        build_history: {
          href: `/api/v2.0/projects/library/repositories/team%252Fapp/artifacts/${v1.digest}/additions/build_history`,
          absolute: false,
        },
      },
    });
    expect((await world.call('GET', `${NESTED}/artifacts/none`)).status).toBe(404);
  });

  it.each([
    ['tags=v1', ['v1']],
    ['tags=~V', ['v1', 'v2']],
    ['tags=*', ['v1', 'v2']],
    ['tags=nil', []],
    ['type=IMAGE', ['v1', 'v2']],
    ['type=CHART', []],
    ['push_time=[2020-01-01 00:00:00~2021-01-01 00:00:00]', []],
  ])('filters artifacts by %s', async (q, expected) => {
    const list = await world.call('GET', `${NESTED}/artifacts?q=${encodeURIComponent(q)}`);
    const digests = new Map([
      [v1.digest, 'v1'],
      [v2.digest, 'v2'],
    ]);
    const names = (list.json as { digest: typeof v1.digest }[]).map(({ digest }) => digests.get(digest));
    expect(new Set(names)).toEqual(new Set(expected));
    expect(list.headers.get('x-total-count')).toBe(String(expected.length));
  });

  it('pages through artifacts by the links it gives', async () => {
    for (let index = 0; index < 5; index += 1) await world.push('library/paged', { tags: [`t${index}`] });
    const seen: string[] = [];
    let next: string | undefined = '/projects/library/repositories/paged/artifacts?page_size=2';
    while (next !== undefined) {
      const page = await world.call('GET', next);
      expect(page.headers.get('x-total-count')).toBe('5');
      seen.push(...(page.json as { tags: { name: string }[] }[]).map(({ tags }) => tags[0]?.name ?? ''));
      next = /<([^>]*)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1];
    }
    expect(seen).toEqual(['t4', 't3', 't2', 't1', 't0']);
    const byNumber = await world.call('GET', '/projects/library/repositories/paged/artifacts?page_size=2&page=3');
    expect(byNumber.json).toMatchObject([{ tags: [{ name: 't0' }] }]);
    const bad = await world.call('GET', '/projects/library/repositories/paged/artifacts?cursor=1.x.2');
    expect(bad.status).toBe(400);
  });

  it('shows members of an index inside it, and accessories with their subject', async () => {
    const amd64 = await world.push('library/multi', {});
    const arm64 = await world.push('library/multi', {});
    const index = await world.pushIndex('library/multi', [amd64, arm64], ['latest']);
    const sbom = await world.push('library/multi', {
      subject: { digest: index.digest, size: index.size },
      artifactType: 'application/vnd.example.thing',
    });
    const signature = await world.push('library/multi', {
      subject: { digest: index.digest, size: index.size },
      artifactType: 'application/vnd.cncf.notary.signature',
    });
    const path = '/projects/library/repositories/multi/artifacts';
    const list = await world.call('GET', path);
    expect(list.json).toMatchObject([
      {
        digest: index.digest,
        references: [
          { child_digest: amd64.digest, platform: { architecture: 'amd64' } },
          { child_digest: arm64.digest, platform: { architecture: 'arm64' } },
        ],
        accessories: [
          { digest: signature.digest, type: 'signature.notation' },
          { digest: sbom.digest, type: 'subject.accessory', subject_artifact_digest: index.digest },
        ],
      },
    ]);
    expect((await world.call('GET', '/projects/library/repositories/multi')).json).toMatchObject({ artifact_count: 1 });
    expect((await world.call('GET', `${path}?q=base%3D*`)).json).toHaveLength(5);
    expect((await world.call('GET', `${path}/latest/accessories?q=type%3Dsubject.accessory`)).json).toMatchObject([
      { digest: sbom.digest },
    ]);
    const member = await world.call('GET', `${path}/${amd64.digest}?with_inherited_accessory=true`);
    expect(member.json).toMatchObject({
      inherited_accessories: [{ digest: signature.digest, subject_artifact_digest: index.digest }],
    });
    const refused = await world.call('DELETE', `${path}/${amd64.digest}`);
    expect(refused).toMatchObject({
      status: 412,
      json: {
        errors: [{ code: 'VIOLATE_FOREIGN_KEY_CONSTRAINT', message: 'the deleting artifact is referenced by others' }],
      },
    });
  });

  it('creates, lists and deletes tags', async () => {
    const tags = `${NESTED}/artifacts/${v1.digest}/tags`;
    expect((await world.call('POST', tags, { body: { name: 'stable' } })).status).toBe(201);
    expect((await world.call('POST', tags, { body: { name: 'v2' } })).status).toBe(409);
    expect((await world.call('POST', tags, { body: { name: 'no spaces' } })).status).toBe(400);
    const listed = await world.call('GET', `${tags}?q=name%3D~st&with_immutable_status=true`);
    expect(listed.json).toMatchObject([{ name: 'stable', immutable: false }]);
    expect((await world.call('DELETE', `${tags}/v2`)).status).toBe(404);
    expect((await world.call('DELETE', `${tags}/stable`)).status).toBe(200);
    expect((await world.call('GET', `${NESTED}/artifacts/stable`)).status).toBe(404);
  });

  it('copies an artifact between projects of the caller', async () => {
    const target = '/projects/secret/repositories/copied/artifacts';
    const answer = await world.call('POST', `${target}?from=library/team/app:v1`);
    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toBe('/api/v2.0/projects/secret/repositories/copied/artifacts/v1');
    expect((await world.call('GET', `${target}/v1`)).json).toMatchObject({ digest: v1.digest });
    expect((await world.call('POST', `${target}?from=library/none:v1`)).status).toBe(404);
    expect((await world.call('POST', `${target}?from=library`)).status).toBe(400);
    expect((await world.call('POST', `${target}?from=library/team/app:v1`, { as: 'guest' })).status).toBe(403);
  });

  it('keeps global and project labels, and puts them on artifacts', async () => {
    const { id: projectId = 0 } = world.projects.get('library') ?? {};
    const created = await world.call('POST', '/labels', { body: { name: 'prod', scope: 'g', color: '#00ff00' } });
    expect(created.status).toBe(201);
    const id = Number(created.headers.get('location')?.split('/').at(-1));
    expect((await world.call('POST', '/labels', { body: { name: 'prod', scope: 'g' } })).status).toBe(409);
    expect((await world.call('POST', '/labels', { body: { name: 'mine', scope: 'g' }, as: 'dev' })).status).toBe(403);
    const own = { name: 'prod', scope: 'p', project_id: projectId };
    expect((await world.call('POST', '/labels', { body: own, as: 'dev' })).status).toBe(201);
    expect((await world.call('GET', '/labels?scope=g&name=PRO')).json).toMatchObject([{ id, scope: 'g' }]);
    expect((await world.call('GET', `/labels?scope=p&project_id=${projectId}`)).json).toHaveLength(1);
    expect((await world.call('GET', '/labels?scope=p')).status).toBe(400);

    const artifact = `${NESTED}/artifacts/v2`;
    expect((await world.call('POST', `${artifact}/labels`, { body: { id } })).status).toBe(200);
    expect((await world.call('POST', `${artifact}/labels`, { body: { id } })).status).toBe(409);
    expect((await world.call('GET', `${artifact}?with_label=true`)).json).toMatchObject({ labels: [{ name: 'prod' }] });
    const found = await world.call('GET', `${NESTED}/artifacts?q=${encodeURIComponent(`labels=(${id})`)}`);
    expect(found.json).toMatchObject([{ digest: v2.digest }]);
    expect(world.events).toContainEqual(
      expect.objectContaining({ type: 'artifact.labelled', label: 'prod', tags: ['v2'], operator: 'admin' }),
    );
    const many = encodeURIComponent(`labels={${'1 '.repeat(900)}}`);
    expect((await world.call('GET', `${NESTED}/artifacts?q=${many}`)).status).toBe(400);
    expect((await world.call('DELETE', `${artifact}/labels/${id}`)).status).toBe(200);
    expect((await world.call('DELETE', `${artifact}/labels/${id}`)).status).toBe(404);

    expect((await world.call('PUT', `/labels/${id}`, { body: { name: 'production', scope: 'g' } })).status).toBe(200);
    expect((await world.call('GET', `/labels/${id}`)).json).toMatchObject({ name: 'production', color: '' });
    expect((await world.call('DELETE', `/labels/${id}`)).status).toBe(200);
    expect((await world.call('GET', `/labels/${id}`)).status).toBe(404);
  });

  it('shows immutable tags, and lets only an administrator who says why delete them', async () => {
    const kept = await world.push('library/frozen', { tags: ['release-1'] });
    const rule = {
      tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: 'release-*' }],
      scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: 'frozen' }] },
    };
    expect((await world.call('POST', '/projects/library/immutabletagrules', { body: rule })).status).toBe(201);
    const path = `/projects/library/repositories/frozen/artifacts/${kept.digest}`;
    expect((await world.call('GET', `${path}?with_immutable_status=true`)).json).toMatchObject({
      tags: [{ name: 'release-1', immutable: true }],
    });
    const refused = await world.call('DELETE', path);
    expect(refused).toMatchObject({
      status: 412,
      json: { errors: [{ message: 'the tag release-1 configured as immutable, cannot be deleted' }] },
    });
    const headers = { 'x-vic-break-glass': 'leaked a key' };
    expect((await world.call('DELETE', path, { as: 'dev', headers })).status).toBe(403);
    expect((await world.call('DELETE', path, { headers })).status).toBe(200);
    // What was done is recorded after it was answered.
    await expect
      .poll(() => world.audited, { timeout: 20_000 })
      .toContainEqual(
        expect.objectContaining({
          succeeded: true,
          resource: `library/frozen@${kept.digest} (break-glass: leaked a key)`,
        }),
      );
  });

  it('finds projects and repositories, and counts what there is', async () => {
    const found = await world.call('GET', '/search?q=hidd');
    expect(found.json).toMatchObject({
      project: [],
      repository: [{ repository_name: 'secret/hidden', project_name: 'secret', project_public: false }],
    });
    expect((await world.call('GET', '/search?q=hidd', { as: null })).json).toEqual({ project: [], repository: [] });
    expect((await world.call('GET', '/search?q=100%25')).json).toEqual({ project: [], repository: [] });
    expect((await world.call('GET', '/statistics')).json).toMatchObject({
      total_project_count: 2,
      private_project_count: 1,
      total_storage_consumption: expect.any(Number) as unknown,
    });
    expect((await world.call('GET', '/statistics', { as: null })).status).toBe(401);
  });

  it('lists the artifacts of a project, the latest of each repository when asked', async () => {
    await world.push('secret/many', { tags: ['1'] });
    await world.push('secret/many', { tags: ['2'] });
    const all = await world.call('GET', '/projects/secret/artifacts?page_size=100');
    const latest = await world.call('GET', '/projects/secret/artifacts?latest_in_repository=true&page_size=100');
    const tagsOf = (answer: { json: unknown }): unknown[] =>
      (answer.json as { repository_name: string; tags: { name: string }[] }[])
        .filter(({ repository_name }) => repository_name === 'secret/many')
        .map(({ tags }) => tags[0]?.name);
    expect(tagsOf(all)).toEqual(['2', '1']);
    expect(tagsOf(latest)).toEqual(['2']);
  });

  it('deletes an artifact with its tags, and a repository with everything', async () => {
    const gone = await world.push('library/short', { tags: ['a', 'b'] });
    expect((await world.call('DELETE', '/projects/library/repositories/short/artifacts/a')).status).toBe(200);
    expect((await world.call('GET', `/projects/library/repositories/short/artifacts/${gone.digest}`)).status).toBe(404);
    expect((await world.call('DELETE', '/projects/library/repositories/short', { as: 'guest' })).status).toBe(403);
    expect((await world.call('DELETE', '/projects/library/repositories/short')).status).toBe(200);
    expect((await world.call('DELETE', '/projects/library/repositories/short')).status).toBe(404);
  });
}

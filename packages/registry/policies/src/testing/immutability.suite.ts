import type { OpenTemporaryDatabase } from '@vic/sql/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ADMINISTRATOR, PoliciesWorld } from './policies-world.ts';

const RULES = '/projects/library/immutabletagrules';

function rule(tags: string, repositories = '**', decorations: readonly [string, string] = ['matches', 'repoMatches']) {
  return {
    disabled: false,
    action: 'immutable',
    template: 'immutable_template',
    tag_selectors: [{ kind: 'doublestar', decoration: decorations[0], pattern: tags }],
    scope_selectors: { repository: [{ kind: 'doublestar', decoration: decorations[1], pattern: repositories }] },
  };
}

/** Immutable tags: rules over REST, and what the gate refuses. */
export function immutabilitySuite(open: OpenTemporaryDatabase): void {
  let world: PoliciesWorld;
  beforeEach(async () => {
    world = await PoliciesWorld.open(open);
  });
  afterEach(async () => world[Symbol.asyncDispose]());

  it('keeps rules: created, listed, changed, removed', async () => {
    const created = await world.call('POST', RULES, { body: rule('v*') });
    expect(created.status).toBe(201);
    const id = Number(created.headers.get('location')?.split('/').at(-1));
    expect((await world.call('POST', RULES, { body: rule('v*') })).status).toBe(409);
    expect((await world.call('GET', RULES)).json).toEqual([{ ...rule('v*'), id, priority: 0 }]);
    const changed = { ...rule('w*'), id, disabled: true };
    expect((await world.call('PUT', `${RULES}/${id}`, { body: changed })).status).toBe(200);
    expect((await world.call('PUT', `${RULES}/${id}`, { body: { ...changed, id: id + 1 } })).status).toBe(400);
    expect((await world.call('GET', RULES)).json).toEqual([{ ...changed, priority: 0 }]);
    expect((await world.call('DELETE', `${RULES}/${id}`)).status).toBe(200);
    expect((await world.call('DELETE', `${RULES}/${id}`)).status).toBe(404);
  });

  it.each([
    rule('[a-'),
    rule('v*', '**', ['contains', 'repoMatches']),
    rule('v*', '**', ['matches', 'matches']),
    { ...rule('v*'), tag_selectors: [] },
    { ...rule('v*'), template: 'other' },
  ])('refuses a rule that is not one (%#)', async (body) => {
    expect((await world.call('POST', RULES, { body })).status).toBe(400);
  });

  it('refuses to move a tag, but not to push what it points to', async () => {
    await world.push('app', ['v1'], 'first');
    await world.push('tools/app', ['v1'], 'first');
    await world.immutability.create(world.library.id, {
      ...rule('v*', 'app'),
      action: 'immutable',
      template: 'immutable_template',
      tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: 'v*' }],
      scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: 'app' }] },
    });
    await expect(world.push('app', ['v1'], 'second')).rejects.toMatchObject({
      class: 'FailedPrecondition',
      message: "Failed to process request due to 'app:v1' configured as immutable.",
    });
    await world.push('app', ['v1'], 'first');
    await world.push('app', ['v2', 'latest'], 'second');
    await world.push('app', ['latest'], 'third');
    await world.push('tools/app', ['v1'], 'second');
  });

  it('refuses to delete an immutable tag, and an artifact that has one', async () => {
    const digest = await world.push('app', ['v1', 'extra']);
    await world.call('POST', RULES, { body: rule('v*') });
    const place = { project: world.library, repository: 'library/app' };
    const message = 'the tag v1 configured as immutable, cannot be deleted';
    await expect(world.store.deleteTag(place, ADMINISTRATOR, 'v1')).rejects.toThrow(message);
    await world.store.deleteTag(place, ADMINISTRATOR, 'extra');
    await expect(world.store.deleteArtifact(place, ADMINISTRATOR, digest)).rejects.toThrow(message);
    await expect(world.store.deleteRepository(place, ADMINISTRATOR)).rejects.toThrow(message);
    const [{ id }] = (await world.call('GET', RULES)).json as [{ id: number }];
    await world.call('PUT', `${RULES}/${id}`, { body: { ...rule('v*'), id, disabled: true } });
    await world.store.deleteArtifact(place, ADMINISTRATOR, digest);
  });

  it('takes exclusions as everything else', async () => {
    await world.call('POST', RULES, { body: rule('dev-*', 'tmp/**', ['excludes', 'repoExcludes']) });
    const of = async (repository: string, tags: readonly string[]): Promise<readonly string[]> => [
      ...(await world.immutability.immutableTags(world.library.id, `library/${repository}`, tags)),
    ];
    expect(await of('app', ['v1', 'dev-1'])).toEqual(['v1']);
    expect(await of('tmp/app', ['v1'])).toEqual([]);
  });
}

import { pollUntil } from '@vic/async';
import { Schedules } from '@vic/jobs';
import type { OpenTemporaryDatabase } from '@vic/sql/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { PoliciesWorld } from './policies-world.ts';

interface TaskBody {
  readonly id: number;
  readonly repository: string;
  readonly status: string;
  readonly total: number;
  readonly retained: number;
}

function policy(projectId: number, rules: readonly object[], cron = '') {
  return {
    algorithm: 'or',
    rules,
    trigger: { kind: 'Schedule', settings: { cron }, references: {} },
    scope: { level: 'project', ref: projectId },
  };
}

function rule(template: string, number: number, repositories = '**') {
  return {
    action: 'retain',
    template,
    params: { [template]: number },
    tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: '**' }],
    scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: repositories }] },
  };
}

/** Retention: policies over REST, executions through real jobs. */
export function retentionSuite(open: OpenTemporaryDatabase): void {
  let world: PoliciesWorld;
  beforeEach(async () => {
    world = await PoliciesWorld.open(open);
  });
  afterEach(async () => world[Symbol.asyncDispose]());

  const create = async (rules: readonly object[], cron?: string): Promise<string> => {
    const answer = await world.call('POST', '/retentions', { body: policy(world.library.id, rules, cron) });
    expect(answer).toMatchObject({ status: 201 });
    return `/retentions/${answer.headers.get('location')?.split('/').at(-1) ?? ''}`;
  };
  const run = async (path: string, dryRun: boolean): Promise<{ path: string; status: string }> => {
    const started = await world.call('POST', `${path}/executions`, { body: { dry_run: dryRun } });
    expect(started.status).toBe(201);
    const id = Number(started.headers.get('location')?.split('/').at(-1));
    const status = await pollUntil(
      async () => {
        const { json } = await world.call('GET', `${path}/executions`);
        const found = (json as { id: number; status: string }[]).find((execution) => execution.id === id);
        return found === undefined || found.status === 'Running' ? undefined : found.status;
      },
      20,
      AbortSignal.timeout(20_000),
    );
    return { path: `${path}/executions/${id}`, status };
  };
  const tagsOf = async (repository: string): Promise<readonly string[]> =>
    (await world.store.listTags(`library/${repository}`, { limit: 100 })) ?? [];

  it('deletes what no rule keeps, and tells what it did', async () => {
    for (const tag of ['v1', 'v2', 'v3']) {
      await world.push('app', [tag]);
      world.pass(1);
    }
    await world.push('other', ['x']);
    const path = await create([rule('latestPushedK', 1, 'app')]);
    const dry = await run(path, true);
    expect(dry.status).toBe('Success');
    expect(await tagsOf('app')).toEqual(['v1', 'v2', 'v3']);
    expect(world.events).toEqual([]);

    const real = await run(path, false);
    expect(await tagsOf('app')).toEqual(['v3']);
    expect(await tagsOf('other')).toEqual(['x']);
    for (const execution of [dry, real]) {
      const tasks = (await world.call('GET', `${execution.path}/tasks`)).json as TaskBody[];
      expect(tasks).toMatchObject([{ repository: 'app', status: 'Success', total: 3, retained: 1 }]);
      const log = await world.call('GET', `${execution.path}/tasks/${tasks[0]?.id ?? 0}`);
      expect(log.text).toMatch(/DEL sha256:\w+ v1 /);
      expect(log.text).toMatch(/RETAIN sha256:\w+ v3 /);
    }
    expect(world.events).toMatchObject([
      { type: 'retention.finished', succeeded: 1, failed: 0, projectName: 'library' },
    ]);
  });

  it('keeps an artifact when one of its tags is kept, and what is immutable', async () => {
    await world.push('app', ['keep-a', 'b']);
    await world.push('app', ['frozen']);
    await world.push('app', ['gone']);
    await world.call('POST', '/projects/library/immutabletagrules', {
      body: {
        tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: 'frozen' }],
        scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] },
      },
    });
    const keep = {
      ...rule('always', 0),
      tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: 'keep-*' }],
    };
    const { path } = await run(await create([{ ...keep, params: {} }]), false);
    expect(await tagsOf('app')).toEqual(['b', 'frozen', 'keep-a']);
    expect((await world.call('GET', `${path}/tasks`)).json).toMatchObject([{ total: 3, retained: 2 }]);
  });

  it('leaves everything alone without rules that are on', async () => {
    await world.push('app', ['v1']);
    const { status } = await run(await create([{ ...rule('latestPushedK', 0), disabled: true }]), false);
    expect(status).toBe('Success');
    expect(await tagsOf('app')).toEqual(['v1']);
  });

  it('has one policy for a project, read, replaced and removed', async () => {
    const path = await create([rule('latestPushedK', 1)], '0 0 3 * * *');
    const id = Number(path.split('/').at(-1));
    expect(world.tiedPolicy).toBe(id);
    expect((await world.call('GET', path)).json).toMatchObject({
      id,
      algorithm: 'or',
      rules: [{ template: 'latestPushedK', params: { latestPushedK: 1 } }],
      trigger: { kind: 'Schedule', settings: { cron: '0 0 3 * * *' } },
      scope: { level: 'project', ref: world.library.id },
    });
    expect(await world.call('POST', '/retentions', { body: policy(world.library.id, []) })).toMatchObject({
      status: 400,
      json: {
        errors: [{ message: `project ${world.library.id} already has retention policy ${id}` }],
      },
    });
    const replaced = policy(world.library.id, [rule('nDaysSinceLastPush', 7)]);
    expect((await world.call('PUT', path, { body: replaced })).status).toBe(200);
    expect((await world.call('DELETE', path)).status).toBe(200);
    expect(world.tiedPolicy).toBeUndefined();
    expect((await world.call('GET', path)).status).toBe(404);
  });

  it('starts by its schedule, and goes with its project', async () => {
    await world.push('app', ['v1']);
    const path = await create([rule('latestPushedK', 1)], '0 0 3 * * *');
    const id = Number(path.split('/').at(-1));
    const schedules = new Schedules(world.database);
    const schedule = await schedules.find('RETENTION', id);
    if (schedule === undefined) throw new Error('there is no schedule');
    await world.database.transaction(async (transaction) => world.retention.vendor.onSchedule?.(schedule, transaction));
    expect((await world.call('GET', `${path}/executions`)).json).toMatchObject([
      { policy_id: id, trigger: 'SCHEDULE', dry_run: false },
    ]);
    await world.database.transaction(async (transaction) =>
      world.retention.removeOfProject(transaction, world.library.id),
    );
    expect(await schedules.find('RETENTION', id)).toBeUndefined();
    expect((await world.call('GET', path)).status).toBe(404);
  });

  it('refuses policies that are not ones', async () => {
    const post = async (rules: readonly object[], cron?: string): Promise<unknown> =>
      (await world.call('POST', '/retentions', { body: policy(world.library.id, rules, cron) })).json;
    const many = Array.from({ length: 16 }, (_, index) => rule('latestPushedK', index));
    expect(await post(many)).toMatchObject({ errors: [{ message: 'only 15 rules are allowed at most' }] });
    const twice = [rule('latestPushedK', 1), rule('latestPushedK', 1)];
    expect(await post(twice)).toMatchObject({
      errors: [{ code: 'CONFLICT', message: 'rule 1 is conflict with rule 0' }],
    });
    expect(await post([rule('latestPushedK', -1)])).toMatchObject({ errors: [{ code: 'BAD_REQUEST' }] });
    expect(await post([rule('unheard', 1)])).toMatchObject({ errors: [{ code: 'BAD_REQUEST' }] });
    expect(await post([rule('always', 1)], 'every day')).toMatchObject({ errors: [{ code: 'BAD_REQUEST' }] });
    expect(await post([rule('latestPushedK', 1, '{a')])).toMatchObject({ errors: [{ code: 'BAD_REQUEST' }] });
  });

  it('answers for executions of its own policy only, and stops them', async () => {
    const path = await create([rule('latestPushedK', 1)]);
    const { path: execution } = await run(path, true);
    expect((await world.call('PATCH', execution, { body: { action: 'stop' } })).status).toBe(200);
    expect((await world.call('PATCH', execution, { body: { action: 'pause' } })).status).toBe(400);
    expect((await world.call('GET', `${path}/executions/999999/tasks`)).status).toBe(404);
    expect((await world.call('GET', `${execution}/tasks/999999`)).status).toBe(404);
    expect((await world.call('GET', '/retentions/metadatas')).json).toMatchObject({
      templates: [{ rule_template: 'latestPushedK' }, {}, {}, {}, { rule_template: 'always' }],
    });
  });
}

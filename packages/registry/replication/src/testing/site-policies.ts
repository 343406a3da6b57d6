import { pollUntil } from '@vic/async';
import { expect } from 'vitest';
import type { TestSite } from './test-site.ts';

const WAIT_MS = 60_000;

/** Waits for something to become true. */
export async function until(probe: () => Promise<boolean>): Promise<void> {
  await pollUntil(async () => ((await probe()) ? true : undefined), 30, AbortSignal.timeout(WAIT_MS));
}

/**
 * Waits until policies that follow events have compared both sides, as they do at first, and have nothing left to do:
 * before that, what a test does is at odds with what is still on its way.
 */
export async function settled(...policies: readonly (readonly [TestSite, number])[]): Promise<void> {
  await until(async () => {
    for (const [site, policy] of policies) if (!(await isSettled(site, policy))) return false;
    return true;
  });
}

async function isSettled(site: TestSite, policy: number): Promise<boolean> {
  await site.events.drain(AbortSignal.timeout(WAIT_MS));
  if ((await lagOf(site, policy)).pending > 0) return false;
  const { body } = await site.call('GET', `/replication/executions?policy_id=${policy}&page_size=100`);
  const executions = body as { readonly status: string; readonly trigger: string }[];
  return (
    executions.some(({ trigger }) => trigger === 'scheduled') &&
    executions.every(({ status }) => status !== 'InProgress')
  );
}

/** The id of the endpoint at `from` that stands for `to`. */
export async function endpointOf(from: TestSite, to: TestSite): Promise<number> {
  const name = `at-${to.host}`;
  const listed = await from.call('GET', `/registries?name=${encodeURIComponent(name)}`);
  const [known] = listed.body as { id: number }[];
  if (known !== undefined) return known.id;
  const made = await from.call('POST', '/registries', {
    name,
    type: 'vic',
    url: to.url,
    credential: { type: 'basic', access_key: 'admin', access_secret: 'secret' },
  });
  expect(made.status).toBe(201);
  return Number(made.headers.get('location')?.split('/').at(-1));
}

/** Adds an enabled policy that pushes; gives its id. */
export async function addPolicy(from: TestSite, to: TestSite, settings: Record<string, unknown>): Promise<number> {
  const made = await from.call('POST', '/replication/policies', {
    enabled: true,
    override: true,
    trigger: { type: 'event_based' },
    dest_registry: { id: await endpointOf(from, to) },
    ...settings,
  });
  expect(made).toMatchObject({ status: 201 });
  return Number(made.headers.get('location')?.split('/').at(-1));
}

/** Changes some of a policy's settings. */
export async function updatePolicy(site: TestSite, id: number, changes: Record<string, unknown>): Promise<void> {
  const { body } = await site.call('GET', `/replication/policies/${id}`);
  const answer = await site.call('PUT', `/replication/policies/${id}`, { ...(body as object), ...changes });
  expect(answer.status).toBe(200);
}

/** Starts a policy and waits for its end; gives the execution. */
export async function execute(site: TestSite, policy: number): Promise<Record<string, unknown>> {
  const started = await site.call('POST', '/replication/executions', { policy_id: policy });
  expect(started.status).toBe(201);
  const id = started.headers.get('location')?.split('/').at(-1) ?? '';
  return pollUntil(
    async () => {
      const { body } = await site.call('GET', `/replication/executions/${id}`);
      const execution = body as Record<string, unknown>;
      return execution['status'] === 'InProgress' ? undefined : execution;
    },
    30,
    AbortSignal.timeout(WAIT_MS),
  );
}

/** How far a policy's destination is behind. */
export async function lagOf(
  site: TestSite,
  policy: number,
): Promise<{ pending: number; held: number; refused: number; last_error: string }> {
  const { body } = await site.call('GET', `/replication/policies/${policy}`);
  return (body as { lag: { pending: number; held: number; refused: number; last_error: string } }).lag;
}

import type { RegistryEvent } from '@vic/registry-api';
import { silentLogger } from '@vic/log';
import { type Database, openDatabase } from '@vic/sql';
import type { DialectSuite } from '@vic/sql/testing';
import { expect, it, vi } from 'vitest';
import { type EventConsumer, EventConsumers, type StoredEvent, appendEvent, readEvents, trimEvents } from '../index.ts';
import { sequenceEvents } from '../sequence-events.ts';

const QUICK = { pollMs: 20, retryMs: 10 };

/** What the outbox promises. */
export const eventsSuite: DialectSuite = (open) => {
  it('tells a consumer of committed events in order, and of none that was rolled back', async () => {
    await using database = await open();
    const seen = recorder('c');
    await using consumers = await running(database, [seen]);
    await append(database, 'one', 'two');
    const rolledBack = database.transaction(async (transaction) => {
      await appendEvent(transaction, projectCreated('never'));
      throw new Error('no');
    });
    await expect(rolledBack).rejects.toThrow('no');
    await append(database, 'three');
    await consumers.drain(AbortSignal.timeout(20_000));
    expect(seen.names).toEqual(['one', 'two', 'three']);
    expect(seen.positions).toEqual([1, 2, 3]);
  });

  it('gives the whole event back', async () => {
    await using database = await open();
    const event: RegistryEvent = { ...pushed, tags: ['1.0', 'latest'], replicatedFrom: 'hub' };
    await database.transaction(async (transaction) => appendEvent(transaction, event, 42));
    await sequenceEvents(database);
    expect(await readEvents(database.db, 0, 10)).toEqual([{ position: 1, occurredAtMs: 42, event }]);
  });

  it('tells again what a consumer failed at, and goes on after it', async () => {
    await using database = await open();
    let failures = 0;
    const seen = recorder('c', () => {
      if (failures++ < 2) throw new Error('the target is away');
    });
    await using consumers = await running(database, [seen]);
    await append(database, 'one', 'two');
    await consumers.drain(AbortSignal.timeout(20_000));
    expect(seen.names).toEqual(['one', 'two']);
    expect(failures).toBe(3);
  });

  it('a consumer that fails holds up nobody else, and its lag says why', async () => {
    await using database = await open();
    const broken = recorder('broken', () => {
      throw new Error('the target is away');
    });
    const healthy = recorder('healthy');
    await using consumers = await running(database, [broken, healthy]);
    await append(database, 'one');
    await expect.poll(() => healthy.names).toEqual(['one']);
    await expect
      .poll(async () => (await consumers.lag()).find(({ consumer }) => consumer === 'broken'))
      .toMatchObject({ events: 1, lastError: 'the target is away' });
    await expect
      .poll(async () => (await consumers.lag()).find(({ consumer }) => consumer === 'healthy'))
      .toMatchObject({ events: 0, ageMs: 0, failures: 0 });
  });

  it('a consumer keeps its place from one start to the next', async () => {
    await using database = await open();
    const seen = recorder('c');
    {
      await using consumers = await running(database, [seen]);
      await append(database, 'one');
      await consumers.drain(AbortSignal.timeout(20_000));
    }
    await append(database, 'two');
    await using consumers = await running(database, [seen]);
    await consumers.drain(AbortSignal.timeout(20_000));
    expect(seen.names).toEqual(['one', 'two']);
  });

  it('a consumer that is new starts with the next event', async () => {
    await using database = await open();
    await append(database, 'before');
    await sequenceEvents(database);
    const seen = recorder('late');
    await using consumers = await running(database, [seen]);
    await append(database, 'after');
    await consumers.drain(AbortSignal.timeout(20_000));
    expect(seen.names).toEqual(['after']);
  });

  it('two processes share the consumers: every event is handled, in order, by one of them', async () => {
    await using database = await open();
    await using second = await openDatabase(database.location);
    const seen: string[] = [];
    const shared = { name: 'c', consume: async (events: readonly StoredEvent[]) => void seen.push(...namesOf(events)) };
    await using first = await running(database, [shared]);
    await using _other = await running(second, [shared]);
    for (let index = 0; index < 20; index++) await append(index % 2 === 0 ? database : second, `p${index}`);
    await expect.poll(async () => (await first.lag())[0]?.events).toBe(0);
    expect(seen).toEqual(Array.from({ length: 20 }, (_, index) => `p${index}`));
  });

  it('loses no event of transactions that end in another order than they began', async () => {
    await using database = await open();
    const seen = recorder('c');
    await using consumers = await running(database, [seen]);
    const { promise: mayCommit, resolve: commit } = Promise.withResolvers<void>();
    const slow = database.transaction(async (transaction) => {
      await appendEvent(transaction, projectCreated('slow'));
      await mayCommit;
    });
    const fast = append(database, 'fast');
    // SQLite lets the second one wait; PostgreSQL commits it first.
    if (database.dialect === 'postgres') {
      await fast;
      await vi.waitUntil(() => seen.names.length === 1, { timeout: 20_000 });
    }
    commit();
    await Promise.all([slow, fast]);
    await consumers.drain(AbortSignal.timeout(20_000));
    expect(seen.names.toSorted()).toEqual(['fast', 'slow']);
  });

  it('loses none of many events appended at once', async () => {
    await using database = await open();
    const seen = recorder('c');
    await using consumers = await running(database, [seen]);
    const names = Array.from({ length: 200 }, (_, index) => `p${index}`);
    await Promise.all(names.map(async (name) => append(database, name)));
    await consumers.drain(AbortSignal.timeout(20_000));
    expect(seen.names.toSorted()).toEqual(names.toSorted());
    expect(seen.positions).toEqual(names.map((_, index) => index + 1));
  });

  it('trims old events, but none that a consumer has yet to handle', async () => {
    await using database = await open();
    const seen = recorder('c');
    {
      await using consumers = await running(database, [seen]);
      await append(database, 'one', 'two');
      await consumers.drain(AbortSignal.timeout(20_000));
    }
    await append(database, 'three');
    await sequenceEvents(database);
    expect(await trimEvents(database.db, Date.now() - 60_000)).toBe(0);
    expect(await trimEvents(database.db, Date.now() + 60_000)).toBe(2);
    expect(namesOf(await readEvents(database.db, 0, 10))).toEqual(['three']);
  });
};

const pushed = {
  type: 'artifact.pushed',
  projectId: 1,
  projectName: 'library',
  operator: 'ada',
  artifactId: 7,
  repository: 'library/busybox',
  digest: `sha256:${'0'.repeat(64)}`,
  tags: [],
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  artifactType: 'IMAGE',
} as const satisfies RegistryEvent;

function projectCreated(projectName: string): RegistryEvent {
  return { type: 'project.created', projectId: 1, projectName, operator: 'ada' };
}

async function append(database: Database, ...names: string[]): Promise<void> {
  await database.transaction(async (transaction) => {
    for (const name of names) await appendEvent(transaction, projectCreated(name));
  });
}

function namesOf(events: readonly StoredEvent[]): string[] {
  return events.map(({ event }) => event.projectName);
}

function recorder(
  name: string,
  before: () => void = () => undefined,
): EventConsumer & { names: string[]; positions: number[] } {
  const names: string[] = [];
  const positions: number[] = [];
  return {
    name,
    names,
    positions,
    consume: async (events) => {
      before();
      names.push(...namesOf(events));
      positions.push(...events.map(({ position }) => position));
    },
  };
}

async function running(database: Database, consumers: readonly EventConsumer[]): Promise<EventConsumers> {
  const runner = new EventConsumers({ database, logger: silentLogger() }, consumers, QUICK);
  await runner.start();
  return runner;
}

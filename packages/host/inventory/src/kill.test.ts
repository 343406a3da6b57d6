import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Datastores } from '@vic/datastores';
import { silentLogger } from '@vic/log';
import { temporaryDirectory } from '@vic/testkit';
import { expect, it } from 'vitest';
import { EventLog } from './model/event-log.ts';
import { VirtualMachine } from './objects/virtual-machine.ts';
import { controller, disk, nic } from './testing/device-changes.ts';
import { connectTo } from './testing/host-client.ts';
import { type HostUnderTest, startHost } from './testing/host-under-test.ts';

const POOL = { type: 'ResourcePool', value: 'ha-root-pool' } as const;
const FOLDER = { type: 'Folder', value: 'ha-folder-vm' } as const;
const EVENT_MANAGER = { type: 'EventManager', value: 'ha-eventmgr' } as const;

const named = (name: string): { name: string; memoryMB: number; files: { vmPathName: string } } => ({
  ...{ name, memoryMB: 64, files: { vmPathName: '[datastore1]' } },
});

function messages(host: HostUnderTest): readonly string[] {
  return host.inventory.host.events.events.map(({ fullFormattedMessage = '' }) => fullFormattedMessage);
}

/** Datastores on which an operation never ends, for who calls it before `release`; `reached` when somebody did. */
function holding(
  files: Datastores,
  operation: 'createDisk' | 'delete',
): { readonly datastores: Datastores; readonly reached: Promise<void>; readonly release: () => void } {
  const { promise: reached, resolve } = Promise.withResolvers<void>();
  let holds = true;
  const held = async (): Promise<void> => {
    resolve();
    return new Promise(() => undefined);
  };
  const datastores = new Proxy(files, {
    get: (target, name) => {
      if (name === operation && holds) return held;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { datastores, reached, release: () => void (holds = false) };
}

it('events of before are there after a restart, in order, with numbers that go on', async () => {
  await using host = await startHost();
  {
    await using client = await connectTo(host);
    await client.runTask(FOLDER, 'CreateVM_Task', { config: named('a'), pool: POOL });
  }
  const before = host.inventory.host.events.events;
  await host.restart();
  expect(host.inventory.host.events.events).toEqual(before);
  await using client = await connectTo(host);
  const events = await client.call(EVENT_MANAGER, 'QueryEvents', { filter: {} });
  const keys = events.map(({ key }) => key);
  expect(keys).toEqual(keys.map((_, index) => index + 1));
  expect(events[before.length - 1]?.createdTime).toEqual(before.at(-1)?.createdTime);
  expect(messages(host)).toContain('a on host.test was created');
});

it('the event log bears a torn end and damage, and is bounded', async () => {
  await using directory = await temporaryDirectory();
  const now = new Date(5000);
  const open = async (): Promise<EventLog> => EventLog.open(directory.path, () => now, silentLogger());
  const event = { $type: 'UserLogoutSessionEvent', userName: 'root', ipAddress: '::1' };
  {
    await using log = await open();
    for (let count = 0; count < 12_000; count++) log.post(event as never);
  }
  const path = join(directory.path, 'events.log');
  await appendFile(path, '{"$type":"Nonsense"}\nno JSON\n{"$type":"VmPoweredOnEv');
  {
    await using log = await open();
    expect([log.events.length, log.events[0]?.key, log.events.at(-1)]).toEqual([
      5000,
      7001,
      { ...event, key: 12_000, chainId: 12_000, createdTime: now },
    ]);
    expect(log.post(event as never).key).toBe(12_001);
  }
  const size = async (name: string): Promise<number> => (await readFile(join(directory.path, name))).length;
  expect((await size('events.log')) + (await size('events.old.log'))).toBeLessThan(2_500_000);
  await using log = await open();
  expect(log.events.at(-1)?.key).toBe(12_001);
});

it('a machine that was being cloned when the host was killed is gone, with folder and process', async () => {
  await using host = await startHost();
  await using client = await connectTo(host);
  const source = await client.runTask(FOLDER, 'CreateVM_Task', {
    config: { ...named('source'), deviceChange: [nic] },
    pool: POOL,
  });
  await client.runTask(source, 'PowerOnVM_Task', {});
  const [sourceId = ''] = host.machines.running.keys();
  host.machines.freeze(sourceId);
  const frozen = (): boolean => host.inventory.host.objects.get(source, VirtualMachine).record.frozen;
  host.machines.cloningHeld = new Promise(() => undefined);
  await expect.poll(() => frozen()).toBe(true);
  await client.call(source, 'InstantClone_Task', { spec: { name: 'half', location: {}, config: [] } });
  await expect.poll(() => [...host.machines.running.values()].map(({ name }) => name)).toContain('half');
  await host.kill();
  expect([...host.machines.running.values()].map(({ name }) => name)).toEqual(['source']);
  expect(host.inventory.host.objects.find({ type: 'VirtualMachine', value: source.value })).toBeDefined();
  const files = await Datastores.open([{ name: 'datastore1', directory: join(host.directory, 'datastore1') }]);
  expect((await files.list('[datastore1]')).map(({ name }) => name)).not.toContain('half');
  expect(messages(host)).toContain(
    'VirtualMachine.instantClone of source did not finish: the host service ended before it.',
  );
  await using again = await connectTo(host);
  await again.runTask(FOLDER, 'CreateVM_Task', { config: named('half'), pool: POOL });
});

it('a machine that was being made when the host was killed leaves nothing', async () => {
  await using place = await temporaryDirectory();
  const files = await Datastores.open([{ name: 'datastore1', directory: place.path }]);
  const { datastores, reached, release } = holding(files, 'createDisk');
  await using host = await startHost({ datastores });
  await using client = await connectTo(host);
  const config = { ...named('half'), deviceChange: [controller, disk('', undefined, 1024)] };
  await client.call(FOLDER, 'CreateVM_Task', { config, pool: POOL });
  await reached;
  expect(await files.list('[datastore1]')).toHaveLength(1);
  await host.kill();
  expect(await files.list('[datastore1]')).toEqual([]);
  expect(messages(host).filter((message) => message.includes('did not finish'))).toHaveLength(1);
  release();
  await using again = await connectTo(host);
  await again.runTask(FOLDER, 'CreateVM_Task', { config, pool: POOL });
  await host.restart();
  expect(messages(host).filter((message) => message.includes('did not finish'))).toHaveLength(1);
});

it('the removal of a machine that a kill interrupted is finished', async () => {
  await using place = await temporaryDirectory();
  const files = await Datastores.open([{ name: 'datastore1', directory: place.path }]);
  const { datastores, reached, release } = holding(files, 'delete');
  await using host = await startHost({ datastores });
  await using client = await connectTo(host);
  const config = { ...named('a'), deviceChange: [controller, disk('', undefined, 1024)] };
  const vm = await client.runTask(FOLDER, 'CreateVM_Task', { config, pool: POOL });
  const disksOf = async (): Promise<readonly string[]> =>
    (await files.list('[datastore1] a')).map(({ name }) => name).filter((name) => name.endsWith('.vmdk'));
  expect(await disksOf()).toHaveLength(1);
  await client.call(vm, 'Destroy_Task', {});
  await reached;
  expect(await disksOf()).toEqual([]);
  release();
  await host.kill();
  expect(host.inventory.host.objects.find({ type: 'VirtualMachine', value: vm.value })).toBeUndefined();
  expect(await files.list('[datastore1]')).toEqual([]);
  expect(messages(host)).toContain('a on host.test was removed');
});

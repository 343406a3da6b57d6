import type { ResourceAllocationInfo, ResourcePoolRef, VirtualMachineRef } from '@vic/vim';
import type { VimClient } from '@vic/vim-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectTo, createMachine } from './testing/host-client.ts';
import { type HostUnderTest, startHost } from './testing/host-under-test.ts';

// The host has two processors of 2000 MHz and 8 GiB.
const ROOT = { type: 'ResourcePool', value: 'ha-root-pool' } as const;
const FOLDER = { type: 'Folder', value: 'ha-folder-vm' } as const;
const NONE: ResourceAllocationInfo = {
  ...{ reservation: 0, limit: -1, expandableReservation: true, shares: { level: 'normal', shares: 0 } },
};

let host: HostUnderTest;
let client: VimClient;
beforeAll(async () => {
  host = await startHost();
  client = await connectTo(host);
});
afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

async function pool(
  name: string,
  cpu: Partial<ResourceAllocationInfo> = {},
  memory: Partial<ResourceAllocationInfo> = {},
  parent: ResourcePoolRef = ROOT,
): Promise<ResourcePoolRef> {
  const spec = { cpuAllocation: { ...NONE, ...cpu }, memoryAllocation: { ...NONE, ...memory } };
  return client.call(parent, 'CreateResourcePool', { name, spec });
}

async function machine(name: string, inPool: ResourcePoolRef, memoryMB = 64): Promise<VirtualMachineRef> {
  const config = { name, memoryMB, numCPUs: 2, files: { vmPathName: '[datastore1]' } };
  return client.runTask(FOLDER, 'CreateVM_Task', { config, pool: inPool });
}

const shareOf = (id: string): unknown => {
  const { pools } = host.machines;
  return pools.find((each) => each.id === id);
};

it('pools and machines are told to the backend as shares of processors, nested and as they change', async () => {
  const outer = await pool('outer', { limit: 1000 });
  const inner = await pool('inner', { shares: { level: 'high', shares: 0 } }, {}, outer);
  expect(shareOf(outer.value)).toEqual({ id: outer.value, parent: undefined, limitCpus: 0.5, shares: 4000 });
  expect(shareOf(inner.value)).toEqual({ id: inner.value, parent: outer.value, limitCpus: undefined, shares: 8000 });
  const vm = await machine('a', inner);
  await client.runTask(vm, 'PowerOnVM_Task', {});
  const [spec] = host.machines.running.values();
  expect([spec?.pool, spec?.cpu]).toEqual([inner.value, { limitCpus: undefined, shares: 2000 }]);
  await client.runTask(vm, 'ReconfigVM_Task', {
    spec: { cpuAllocation: { ...NONE, limit: 3000, shares: { level: 'custom', shares: 77 } } },
  });
  expect(host.machines.shares).toEqual([{ id: spec?.id, pool: inner.value, cpu: { limitCpus: 1.5, shares: 77 } }]);
  await client.call(outer, 'UpdateConfig', { config: { cpuAllocation: NONE, memoryAllocation: NONE } });
  expect(shareOf(outer.value)).toMatchObject({ limitCpus: undefined });
  await client.runTask(inner, 'Destroy_Task', {});
  expect(host.machines.shares).toMatchObject([{ id: spec?.id, pool: outer.value }]);
  expect(shareOf(inner.value)).toBeUndefined();
});

it('what would have no effect is refused by name', async () => {
  await expect(pool('reserving', { reservation: 100 })).rejects.toThrow('does not reserve processors');
  host.machines.sharesProcessors = false;
  try {
    await expect(pool('limited', { limit: 100 })).rejects.toThrow('no control groups');
    await expect(pool('favoured', { shares: { level: 'high', shares: 0 } })).rejects.toThrow('no control groups');
    await client.runTask(await pool('plain'), 'Destroy_Task', {});
  } finally {
    host.machines.sharesProcessors = true;
  }
});

it('memory that is reserved for a pool is kept for it', async () => {
  const used = [...host.machines.running.values()].reduce((sum, { memoryMiB }) => sum + memoryMiB, 0);
  const free = 8 * 1024 - used;
  const kept = await pool('kept', {}, { reservation: 3000 });
  const greedy = await machine('greedy', ROOT, free - 3000 + 1);
  await expect(client.runTask(greedy, 'PowerOnVM_Task', {})).rejects.toThrow('MiB are needed');
  await expect(pool('too much', {}, { reservation: free - 3000 + 1 })).rejects.toThrow('MiB are needed');
  const within = await machine('within', ROOT, free - 3000);
  await client.runTask(within, 'PowerOnVM_Task', {});
  const inside = await machine('inside', kept, 3000);
  await client.runTask(inside, 'PowerOnVM_Task', {});
  await expect(
    client.call(kept, 'UpdateConfig', {
      config: { cpuAllocation: NONE, memoryAllocation: { ...NONE, reservation: 3001 } },
    }),
  ).rejects.toThrow('MiB are needed');
  for (const vm of [within, inside]) await client.runTask(vm, 'PowerOffVM_Task', {});
  for (const vm of [greedy, within, inside]) await client.runTask(vm, 'Destroy_Task', {});
  await client.runTask(kept, 'Destroy_Task', {});
});

it('a host that starts again tells them again, with the machines it took over', async () => {
  await using again = await startHost();
  const { machines } = again;
  {
    await using before = await connectTo(again);
    const spec = { cpuAllocation: { ...NONE, limit: 1000 }, memoryAllocation: NONE };
    const limited = await before.call(ROOT, 'CreateResourcePool', { name: 'limited', spec });
    await before.runTask(await createMachine(before, { name: 'a' }, limited), 'PowerOnVM_Task', {});
  }
  const pools = machines.pools;
  expect(pools).toMatchObject([{ limitCpus: 0.5 }]);
  Object.assign(machines, { pools: [], shares: [] });
  await again.restart();
  expect(machines.pools).toEqual(pools);
  expect(machines.shares).toMatchObject([{ id: [...machines.running.keys()][0], pool: pools[0]?.id }]);
});

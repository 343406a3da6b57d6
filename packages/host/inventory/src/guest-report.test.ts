import type { ManagedObjectReference } from '@vic/vim';
import type { VimClient } from '@vic/vim-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { controller, disk, nic } from './testing/device-changes.ts';
import { connectTo, readProperty } from './testing/host-client.ts';
import { type HostUnderTest, startHost } from './testing/host-under-test.ts';

const ROOT_POOL = { type: 'ResourcePool', value: 'ha-root-pool' } as const;
const VM_FOLDER = { type: 'Folder', value: 'ha-folder-vm' } as const;

let host: HostUnderTest;
let client: VimClient;
let count = 0;

beforeAll(async () => {
  host = await startHost();
  client = await connectTo(host);
});
afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

async function running(): Promise<{ readonly ref: ManagedObjectReference; readonly id: string }> {
  const ref = await client.runTask(VM_FOLDER, 'CreateVM_Task', {
    pool: ROOT_POOL,
    config: {
      name: `vm-${++count}`,
      memoryMB: 64,
      files: { vmPathName: '[datastore1]' },
      deviceChange: [controller, disk('', undefined, 1024), nic],
      extraConfig: [
        { key: 'guestinfo.vic.id', value: 'own' },
        { key: 'guestinfo.vch.configuration', value: '{}' },
      ],
    },
  });
  await client.runTask(ref, 'PowerOnVM_Task', {});
  return { ref, id: await read<string>(ref, 'config.uuid') };
}

async function read<T>(ref: ManagedObjectReference, path: string): Promise<T> {
  return readProperty(client, ref, path);
}

it('a guest reports its status, and cannot touch or add configuration', async () => {
  const { ref, id } = await running();
  for (const key of ['vic.id', 'vch.configuration', 'vch.other', 'other', 'vic.statusx', 'vic.secret', 'vic.template'])
    host.machines.report(id, `guestinfo.${key}`, 'forged');
  for (const key of ['vic.status.started', 'vch.status', 'vch.address'])
    host.machines.report(id, `guestinfo.${key}`, 'reported');
  const config = async (): Promise<unknown> =>
    Object.fromEntries(
      (await read<readonly { key: string; value?: unknown }[]>(ref, 'config.extraConfig')).map((o) => [o.key, o.value]),
    );
  await expect.poll(config).toEqual({
    'guestinfo.vic.id': 'own',
    'guestinfo.vch.configuration': '{}',
    'guestinfo.vic.status.started': 'reported',
    'guestinfo.vch.status': 'reported',
    'guestinfo.vch.address': 'reported',
  });
});

it('addresses and host name of a guest are those it reported, as long as it runs', async () => {
  const { ref, id } = await running();
  host.machines.report(id, 'guestinfo.vic.status.addresses', '["fd00::2/64","172.16.0.2/16","nonsense",7]');
  host.machines.report(id, 'guestinfo.vic.status.hostname', 'web');
  await expect.poll(async () => read(ref, 'guest.hostName')).toBe('web');
  expect(await read(ref, 'guest')).toMatchObject({
    ipAddress: '172.16.0.2',
    net: [{ ipAddress: ['172.16.0.2', 'fd00::2'], network: 'VM Network' }],
  });
  expect(await read(ref, 'summary.guest')).toMatchObject({ ipAddress: '172.16.0.2', hostName: 'web' });
  await client.runTask(ref, 'PowerOffVM_Task', {});
  expect(await read(ref, 'guest.ipAddress')).toBeUndefined();
});

it.each([
  ['tcp://10.0.0.9:2376', '10.0.0.9'],
  ['tcp://[fd00::9]:2376', 'fd00::9'],
  ['nonsense', undefined],
])('an endpoint that serves at %s has the address %s', async (url, address) => {
  const { ref, id } = await running();
  host.machines.report(id, 'guestinfo.vch.address', url);
  host.machines.report(id, 'guestinfo.vic.status.addresses', 'not a list');
  host.machines.report(id, 'guestinfo.vic.status.hostname', 'last');
  await expect.poll(async () => read(ref, 'guest.hostName')).toBe('last');
  expect(await read(ref, 'guest.ipAddress')).toBe(address);
});

it('the room that disks take is in the summary', async () => {
  const { ref } = await running();
  const storage = async (): Promise<{ committed: number; uncommitted: number }> => read(ref, 'summary.storage');
  await expect.poll(async () => (await storage()).committed).toBeGreaterThan(0);
  const { committed, uncommitted } = await storage();
  expect(committed + uncommitted).toBe(1024 * 1024);
});

import type { ManagedObjectReference } from '@vic/vim';
import { describe, expect, it } from 'vitest';
import { controller, disk, nic } from './testing/device-changes.ts';
import { ROOT_POOL, type VmRef, connectTo, createMachine, readProperty } from './testing/host-client.ts';
import { startHost } from './testing/host-under-test.ts';

describe('a restarted host', () => {
  it('has everything as before', async () => {
    await using host = await startHost();
    let client = await connectTo(host);
    const read = async (ref: ManagedObjectReference, path: string): Promise<unknown> => readProperty(client, ref, path);
    const uuidOf = async (ref: VmRef): Promise<string> => readProperty(client, ref, 'config.uuid');
    const pool = await client.call(ROOT_POOL, 'CreateResourcePool', {
      name: 'kept',
      spec: { cpuAllocation: {}, memoryAllocation: { limit: 500 } },
    });
    await client.call({ type: 'HostNetworkSystem', value: 'networkSystem' }, 'AddPortGroup', {
      portgrp: { name: 'bridge', vlanId: 0, vswitchName: 'vSwitch0', policy: {} },
    });
    const on = await createMachine(
      client,
      {
        name: 'on',
        deviceChange: [controller, disk('', undefined, 1024), nic],
        extraConfig: [{ key: 'guestinfo.secret', value: 's' }],
      },
      pool,
    );
    await client.runTask(on, 'PowerOnVM_Task', {});
    const died = await createMachine(client, { name: 'died' }, pool);
    await client.runTask(died, 'PowerOnVM_Task', {});
    const [uuid, config] = [await uuidOf(on), await read(on, 'config')];
    host.machines.running.delete(await uuidOf(died));
    await client[Symbol.asyncDispose]();
    await host.restart();
    client = await connectTo(host);
    expect(await read(on, 'runtime.powerState')).toBe('poweredOn');
    expect(await read(died, 'runtime.powerState')).toBe('poweredOff');
    expect(await read(on, 'config')).toEqual(config);
    expect(await read(on, 'resourcePool')).toEqual(pool);
    expect(await read(pool, 'config.memoryAllocation.limit')).toBe(500);
    expect(await read({ type: 'Network', value: 'network-bridge' }, 'name')).toBe('bridge');
    await client.runTask(on, 'PowerOffVM_Task', {});
    await client.runTask(on, 'PowerOnVM_Task', {});
    expect(host.machines.running.get(uuid)?.guestinfo).toEqual({ 'guestinfo.secret': 's' });
    await client[Symbol.asyncDispose]();
  });
});

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ManagedObjectReference,
  type ResourcePoolRef,
  type VirtualMachineConfigSpec,
  encodeElement,
  make,
  managedTypeMeta,
  managedTypeNames,
  methodMeta,
} from '@vic/vim';
import type { VimClient } from '@vic/vim-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManagedObject } from './model/managed-object.ts';
import { privilegeOf } from './server/dispatch.ts';
import { controller, disk, nic, serialFile } from './testing/device-changes.ts';
import { ROOT_POOL, type VmRef, connectTo, createMachine, readProperty } from './testing/host-client.ts';
import { type HostUnderTest, startHost } from './testing/host-under-test.ts';

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

async function create(spec: Partial<VirtualMachineConfigSpec> = {}, pool: ResourcePoolRef = ROOT_POOL): Promise<VmRef> {
  return createMachine(client, { name: `vm-${++count}`, ...spec }, pool);
}

async function read<T>(ref: ManagedObjectReference, path: string): Promise<T> {
  return readProperty<T>(client, ref, path);
}

const uuidOf = async (ref: VmRef): Promise<string> => read<string>(ref, 'config.uuid');
const powerState = async (ref: VmRef): Promise<string> => read<string>(ref, 'runtime.powerState');
const extraConfig = async (ref: VmRef): Promise<Record<string, unknown>> => {
  const options = await read<readonly { key: string; value?: unknown }[]>(ref, 'config.extraConfig');
  return Object.fromEntries(options.map(({ key, value }) => [key, value]));
};
/** A frozen instant clone source with a NIC and a log port. */
async function template(): Promise<VmRef> {
  const name = `template-${++count}`;
  const ref = await create({
    name,
    deviceChange: [nic, serialFile(-6, 'add', `[datastore1] ${name}/log`)],
    extraConfig: [
      { key: 'guestinfo.own', value: 'template' },
      { key: 'shape', value: 'small' },
    ],
  });
  await client.runTask(ref, 'PowerOnVM_Task', {});
  host.machines.freeze(await uuidOf(ref));
  await expect.poll(async () => read(ref, 'runtime.instantCloneFrozen')).toBe(true);
  return ref;
}

describe('the managed objects', () => {
  it('have only properties that the schema knows, in values it can carry', async () => {
    await create({ deviceChange: [controller, disk('', undefined, 1024), nic] });
    const types = new Set<string>(managedTypeNames());
    const failures: string[] = [];
    for (const object of host.inventory.host.objects.all(ManagedObject)) {
      expect(types).toContain(object.ref.type);
      for (const property of managedTypeMeta(object.ref.type)?.properties ?? []) {
        try {
          encodeElement('val', property.type, object.read(property.name));
        } catch (error) {
          failures.push(`${object.ref.type}.${property.name}: ${String(error)}`);
        }
      }
    }
    expect(failures).toEqual([]);
  });

  it('answer only methods whose privilege is settled', () => {
    for (const object of host.inventory.host.objects.all(ManagedObject)) {
      for (const name of Object.keys(object.handlers)) {
        const method = methodMeta(name);
        expect(method, `${object.ref.type}.${name}`).toBeDefined();
        const open = method?.privilege === '' && privilegeOf(name, object.ref.type) === 'Global.Settings';
        // These refuse everyone.
        expect(open && !['CloneVM_Task', 'UpdateOptions'].includes(name), `${object.ref.type}.${name}`).toBe(false);
      }
    }
  });
});

describe('CreateVM_Task and ReconfigVM_Task', () => {
  it('make a chain of disks with generated names and temporary keys', async () => {
    const base = await create({ deviceChange: [controller, disk('', undefined, 2048)] });
    const devices = await read<
      readonly { key: number; unitNumber?: number; controllerKey?: number; backing?: { fileName: string } }[]
    >(base, 'config.hardware.device');
    const baseDisk = devices.find((device) => device.key === 2000);
    expect(baseDisk).toMatchObject({ controllerKey: 1000, unitNumber: 0 });
    const child = await create({ deviceChange: [controller, disk('', baseDisk?.backing?.fileName)] });
    const childDisk = await read<{ capacityInKB: number; backing: { parent: { fileName: string } } }>(
      child,
      'config.hardware.device[2000]',
    );
    expect(childDisk.capacityInKB).toBe(2048);
    expect(childDisk.backing.parent.fileName).toBe(baseDisk?.backing?.fileName);
  });

  it('attaches and detaches disks of a running machine, and undoes what was made when the machine refuses', async () => {
    const name = `vm-${++count}`;
    const ref = await create({ name, deviceChange: [controller] });
    await client.runTask(ref, 'PowerOnVM_Task', {});
    const add = { ...disk(`[datastore1] ${name}/hot.vmdk`, undefined, 1024) };
    const change = { ...add, device: { ...add.device, controllerKey: 1000 } };
    host.machines.failNext = 'attachDisk';
    await expect(client.runTask(ref, 'ReconfigVM_Task', { spec: { deviceChange: [change] } })).rejects.toThrow(
      'told to fail',
    );
    await expect(host.inventory.host.datastores.stat(`[datastore1] ${name}/hot.vmdk`)).rejects.toMatchObject({
      class: 'NotFound',
    });
    await client.runTask(ref, 'ReconfigVM_Task', { spec: { deviceChange: [change] } });
    expect(host.machines.calls).toContain('attachDisk 2000');
    const removal = {
      operation: 'remove',
      fileOperation: 'destroy',
      device: make('VirtualDisk', { key: 2000, capacityInKB: 0 }),
    } as const;
    await client.runTask(ref, 'ReconfigVM_Task', { spec: { deviceChange: [removal] } });
    expect(host.machines.calls).toContain('detachDisk 2000');
    await expect(host.inventory.host.datastores.stat(`[datastore1] ${name}/hot.vmdk`)).rejects.toMatchObject({
      class: 'NotFound',
    });
  });

  it('leaves no trace of a machine that could not be created', async () => {
    const name = `vm-${++count}`;
    await expect(
      create({ name, deviceChange: [controller, disk('', undefined, 1024), disk('', '[datastore1] none/none.vmdk')] }),
    ).rejects.toMatchObject({ class: 'NotFound' });
    await expect(host.inventory.host.datastores.stat(`[datastore1] ${name}`)).rejects.toMatchObject({
      class: 'NotFound',
    });
    await create({ name });
  });

  it('refuses a specification made from an older version', async () => {
    const ref = await create();
    const changeVersion = await read<string>(ref, 'config.changeVersion');
    await client.runTask(ref, 'ReconfigVM_Task', { spec: { changeVersion, annotation: 'first' } });
    await expect(
      client.runTask(ref, 'ReconfigVM_Task', { spec: { changeVersion, annotation: 'second' } }),
    ).rejects.toMatchObject({ faultType: 'ConcurrentAccess' });
    expect(await read(ref, 'config.annotation')).toBe('first');
  });

  it('merges extraConfig, removes by an empty value, and never answers secrets', async () => {
    const ref = await create({
      extraConfig: [
        { key: 'guestinfo.a', value: '1' },
        { key: 'guestinfo.vic.secret', value: 'hidden' },
      ],
    });
    await client.runTask(ref, 'ReconfigVM_Task', {
      spec: {
        extraConfig: [
          { key: 'guestinfo.a', value: '' },
          { key: 'guestinfo.b', value: '2' },
        ],
      },
    });
    expect(await extraConfig(ref)).toEqual({ 'guestinfo.b': '2' });
    await client.runTask(ref, 'PowerOnVM_Task', {});
    expect(host.machines.running.get(await uuidOf(ref))?.guestinfo).toEqual({
      'guestinfo.b': '2',
      'guestinfo.vic.secret': 'hidden',
    });
    const path = await read<string>(ref, 'config.files.vmPathName');
    expect(await readFile(host.inventory.host.datastores.resolve(path), 'utf8')).not.toContain('hidden');
  });

  it('refuses programs that are not listed, and options it does not know, by name', async () => {
    await expect(create({ extraConfig: [{ key: 'vic.program', value: 'sh' }] })).rejects.toThrow(
      'sh is not in this host',
    );
    await expect(create({ cpuHotAddEnabled: true })).rejects.toThrow('cpuHotAddEnabled');
  });
});

describe('a machine that acts by itself', () => {
  it('has its reports in extraConfig and is off after it shut down', async () => {
    const ref = await create();
    await client.runTask(ref, 'PowerOnVM_Task', {});
    const id = await uuidOf(ref);
    host.machines.report(id, 'guestinfo.vic.status.exit', '3');
    host.machines.report(id, 'guestinfo.secret', 'forged');
    host.machines.report(id, 'vic.program', 'vch-endpoint');
    host.machines.exit(id, 'guest-shutdown');
    await expect.poll(async () => powerState(ref)).toBe('poweredOff');
    expect(await extraConfig(ref)).toEqual({ 'guestinfo.vic.status.exit': '3' });
    expect(await read(ref, 'runtime.cleanPowerOff')).toBe(true);
  });

  it('is off when it ended, and said why, before its power-on had finished', async () => {
    const ref = await create();
    const id = await uuidOf(ref);
    host.machines.duringPowerOn = () => {
      host.machines.report(id, 'guestinfo.vic.status.exit', '0');
      host.machines.exit(id, 'guest-shutdown');
    };
    await client.runTask(ref, 'PowerOnVM_Task', {});
    await expect.poll(async () => powerState(ref)).toBe('poweredOff');
    expect(await extraConfig(ref)).toEqual({ 'guestinfo.vic.status.exit': '0' });
  });

  it('is started again when it is a process that crashed, and not when it was powered off', async () => {
    const ref = await create({ extraConfig: [{ key: 'vic.program', value: 'vch-endpoint' }] });
    await client.runTask(ref, 'PowerOnVM_Task', {});
    const id = await uuidOf(ref);
    host.machines.exit(id, 'crashed');
    await expect.poll(() => host.machines.running.has(id)).toBe(true);
    expect(await powerState(ref)).toBe('poweredOn');
    await client.runTask(ref, 'PowerOffVM_Task', {});
    expect(host.machines.running.has(id)).toBe(false);
  });
});

describe('InstantClone_Task', () => {
  it('forks a frozen machine with its own address, files, disk and configuration', async () => {
    const source = await template();
    const base = await create({ deviceChange: [controller, disk('', undefined, 1024)] });
    const parent = (await read<{ backing: { fileName: string } }>(base, 'config.hardware.device[2000]')).backing
      .fileName;
    const name = `clone-${++count}`;
    const clone = (await client.runTask(source, 'InstantClone_Task', {
      spec: {
        name,
        location: {
          deviceChange: [controller, disk('', parent), serialFile(9000, 'edit', `[datastore1] ${name}/output.log`)],
        },
        config: [
          { key: 'guestinfo.own', value: 'clone' },
          { key: 'vic.record', value: '{}' },
        ],
      },
    })) as VmRef;
    expect(await powerState(clone)).toBe('poweredOn');
    expect(await extraConfig(clone)).toEqual({ 'guestinfo.own': 'clone', 'vic.record': '{}', shape: 'small' });
    const spec = host.machines.running.get(await uuidOf(clone));
    expect(spec).toMatchObject({
      name,
      forkedFrom: await uuidOf(source),
      memoryMiB: 64,
      disks: [{ unitNumber: 0, readOnly: false }],
    });
    expect(spec?.nics[0]?.mac).not.toBe(await read(source, 'config.hardware.device[4000].macAddress'));
    expect(spec?.serialPorts).toEqual([
      { key: 9000, backing: { kind: 'file', path: join(host.directory, 'datastore1', name, 'output.log') } },
    ]);
  });

  it('undoes everything when the fork fails, and refuses a source that runs', async () => {
    const source = await template();
    const spec = {
      name: `clone-${++count}`,
      location: { deviceChange: [serialFile(9000, 'edit', '[datastore1] x.log')] },
    };
    host.machines.failNext = 'instantClone';
    await expect(client.runTask(source, 'InstantClone_Task', { spec })).rejects.toThrow('told to fail');
    await expect(host.inventory.host.datastores.stat(`[datastore1] ${spec.name}`)).rejects.toMatchObject({
      class: 'NotFound',
    });
    await expect(client.runTask(source, 'InstantClone_Task', { spec: { ...spec, location: {} } })).rejects.toThrow(
      'belongs to its source',
    );
    const running = await create();
    await client.runTask(running, 'PowerOnVM_Task', {});
    await expect(client.runTask(running, 'InstantClone_Task', { spec })).rejects.toMatchObject({
      faultType: 'InvalidState',
    });
  });
});

describe('resource pools', () => {
  it('refuse to start what does not fit into their memory', async () => {
    const spec = { cpuAllocation: {}, memoryAllocation: { limit: 100 } };
    const pool = await client.call(ROOT_POOL, 'CreateResourcePool', { name: `pool-${++count}`, spec });
    const inner = await client.call(pool, 'CreateResourcePool', {
      name: 'inner',
      spec: { cpuAllocation: {}, memoryAllocation: { limit: -1 } },
    });
    const [first, second] = [await create({}, inner), await create({}, inner)];
    await client.runTask(first, 'PowerOnVM_Task', {});
    await expect(client.runTask(second, 'PowerOnVM_Task', {})).rejects.toMatchObject({ class: 'ResourceExhausted' });
    await client.runTask(first, 'PowerOffVM_Task', {});
    await client.runTask(second, 'PowerOnVM_Task', {});
    await client.runTask(inner, 'Destroy_Task', {});
    expect(await read(second, 'resourcePool')).toEqual(pool);
  });
});

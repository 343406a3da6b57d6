import { isA, isFault, make } from '@vic/vim';
import { describe, expect, it } from 'vitest';
import { properties, waitForTask } from '../index.ts';
import { smallMachine, temporaryMachine, type VimServerQuirks } from './server-under-test.ts';
import type { SuiteContext } from './vim-server-suite.ts';

/** The life of a virtual machine, its tasks and their faults. */
export function machineTests(context: () => SuiteContext, quirks: VimServerQuirks): void {
  describe('virtual machine', () => {
    it('is created as specified, powered on and off, and destroyed', async () => {
      const { client, places, unique } = context();
      const name = unique('life');
      await using vm = await temporaryMachine(client, places, name);
      const created = await properties(client, vm.ref, ['name', 'config', 'runtime.powerState']);
      expect(created.name).toBe(name);
      expect(created['runtime.powerState']).toBe('poweredOff');
      expect(created.config?.hardware).toMatchObject({ numCPU: 1, memoryMB: 32 });
      expect(created.config?.hardware.device?.some((device) => isA(device, 'ParaVirtualSCSIController'))).toBe(true);
      expect(created.config?.extraConfig).toContainEqual(
        expect.objectContaining({ key: 'guestinfo.suite', value: 'created' }),
      );

      await client.runTask(vm.ref, 'PowerOnVM_Task', {});
      expect((await properties(client, vm.ref, ['runtime.powerState']))['runtime.powerState']).toBe('poweredOn');
      await expect(client.runTask(vm.ref, 'PowerOnVM_Task', {})).rejects.toMatchObject({
        class: 'Conflict',
        faultType: 'InvalidPowerState',
        fault: { existingState: 'poweredOn' },
      });
      await client.runTask(vm.ref, 'PowerOffVM_Task', {});
      await client.runTask(vm.ref, 'Destroy_Task', {});
      await expect(properties(client, vm.ref, ['name'])).rejects.toMatchObject({ faultType: 'ManagedObjectNotFound' });
    });

    it('gets and loses a disk by reconfiguration', async () => {
      const { client, places, unique } = context();
      await using vm = await temporaryMachine(client, places, unique('disk'));
      const { 'config.hardware.device': devices } = await properties(client, vm.ref, ['config.hardware.device']);
      const controller = (devices as readonly unknown[]).find((device) => isA(device, 'ParaVirtualSCSIController'));
      if (!isA(controller, 'ParaVirtualSCSIController')) throw new Error('no controller');
      const backing = make('VirtualDiskFlatVer2BackingInfo', {
        fileName: `[${places.datastoreName}]`,
        diskMode: 'persistent',
        thinProvisioned: true,
      });
      const device = make('VirtualDisk', {
        key: -1,
        controllerKey: controller.key,
        unitNumber: 0,
        capacityInKB: 1024,
        backing,
      });
      await client.runTask(vm.ref, 'ReconfigVM_Task', {
        spec: { deviceChange: [{ operation: 'add', fileOperation: 'create', device }] },
      });
      const after = await properties(client, vm.ref, ['config.hardware.device']);
      const disk = (after['config.hardware.device'] ?? []).find((it) => isA(it, 'VirtualDisk'));
      expect(disk).toMatchObject({ controllerKey: controller.key, unitNumber: 0, capacityInKB: 1024 });
      expect(disk?.key).toBeGreaterThan(0);
      if (disk === undefined) return;
      await client.runTask(vm.ref, 'ReconfigVM_Task', {
        spec: { deviceChange: [{ operation: 'remove', fileOperation: 'destroy', device: disk }] },
      });
      const finally_ = await properties(client, vm.ref, ['config.hardware.device']);
      expect((finally_['config.hardware.device'] ?? []).some((it) => isA(it, 'VirtualDisk'))).toBe(false);
    });

    it('keeps, changes and forgets extraConfig', async () => {
      const { client, places, unique } = context();
      await using vm = await temporaryMachine(client, places, unique('extra'));
      const extraConfig = [
        { key: 'guestinfo.suite', value: '' },
        { key: 'guestinfo.two', value: '<two> & "2"' },
      ];
      await client.runTask(vm.ref, 'ReconfigVM_Task', { spec: { extraConfig } });
      const { config } = await properties(client, vm.ref, ['config']);
      const values = new Map(config?.extraConfig?.map(({ key, value }) => [key, value]));
      expect(values.get('guestinfo.two')).toBe('<two> & "2"');
      expect(values.get('guestinfo.suite') ?? '').toBe('');
    });

    it.skipIf(quirks.ignoresChangeVersion === true)('refuses a change based on an old configuration', async () => {
      const { client, places, unique } = context();
      await using vm = await temporaryMachine(client, places, unique('version'));
      const { 'config.changeVersion': changeVersion } = await properties(client, vm.ref, ['config.changeVersion']);
      const change = (annotation: string): Promise<unknown> =>
        client.runTask(vm.ref, 'ReconfigVM_Task', { spec: { changeVersion, annotation } });
      await change('first');
      await expect(change('second')).rejects.toMatchObject({ class: 'Conflict', faultType: 'ConcurrentAccess' });
    });

    it.skipIf(quirks.allowsDuplicateNames === true)('may have a name only once', async () => {
      const { client, places, unique } = context();
      const name = unique('twice');
      await using _vm = await temporaryMachine(client, places, name);
      const again = client.runTask(places.vmFolder, 'CreateVM_Task', {
        config: smallMachine(name, places),
        pool: places.pool,
      });
      await expect(again).rejects.toMatchObject({ class: 'AlreadyExists', faultType: 'DuplicateName' });
    });

    it('waiting for one of its tasks twice gives the same outcome', async () => {
      const { client, places, unique } = context();
      await using vm = await temporaryMachine(client, places, unique('task'));
      const task = await client.call(vm.ref, 'PowerOffVM_Task', {});
      const outcomes = [1, 2].map(() => waitForTask(client, task).catch((error: unknown) => error));
      for (const outcome of await Promise.all(outcomes)) expect(isFault(outcome, 'InvalidPowerState')).toBe(true);
    });
  });
}

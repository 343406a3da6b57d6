import { VimFault, isDataSubtype, make } from '@vic/vim';
import type { Call } from '../model/call.ts';
import { generalFault } from '../model/faults.ts';
import type { VirtualMachine } from '../objects/virtual-machine.ts';
import { type ConfigSpec, applyConfigSpec } from './config-spec.ts';
import { type HotAction, planDeviceChanges } from './device-plan.ts';
import { deleteDisks, prepareDisks } from './disk-files.ts';
import { toDisk, toNic } from './machine-spec.ts';
import { planContext, requireDisksFree } from './plan-context.ts';
import { applyProcessorShares } from './processor-shares.ts';
import { postVmEvent } from './vm-events.ts';

/** Changes a machine: everything is validated first, and undone when a step fails. */
export async function reconfigureMachine(vm: VirtualMachine, spec: ConfigSpec, call: Call): Promise<void> {
  const before = vm.record;
  requireChangeVersion(spec, before.changeNumber);
  const configured = applyConfigSpec(vm.host, before, spec);
  const running = before.powerState === 'poweredOn';
  const plan = planDeviceChanges(configured, spec.deviceChange ?? [], planContext(vm.host, running));
  const added = plan.devices.filter((device) => !before.devices.some((known) => known.key === device.key));
  if (running) requireDisksFree(vm.host, before, added);
  await using undo = new AsyncDisposableStack();
  const devices = await prepareDisks(vm.host, plan, undo);
  for (const action of plan.hot) await performHot(vm, action, undo);
  await vm.reconfigure(
    { ...configured, devices: (spec.deviceChange?.length ?? 0) === 0 ? before.devices : devices },
    before,
  );
  undo.move();
  if (spec.cpuAllocation !== undefined) await applyProcessorShares(vm.host);
  await deleteDisks(vm.host, plan);
  postVmEvent(vm, 'VmReconfiguredEvent', call.userName, { configSpec: { $type: 'VirtualMachineConfigSpec' } });
}

function requireChangeVersion(spec: ConfigSpec, changeNumber: number): void {
  const expected = spec.changeVersion ?? '';
  if (expected === '' || expected === String(changeNumber)) return;
  throw new VimFault({
    fault: make('ConcurrentAccess', {}),
    message: `The machine was changed by another client: its version is ${changeNumber}, not ${expected.slice(0, 40)}.`,
    remedy: 'Read the configuration again and repeat the change.',
  });
}

async function performHot(vm: VirtualMachine, action: HotAction, undo: AsyncDisposableStack): Promise<void> {
  const { machines, closing } = vm.host;
  const id = vm.record.uuid;
  const resolve = (path: string): string => vm.host.datastores.resolve(path);
  const { device } = action;
  const isNic = isDataSubtype(device.$type, 'VirtualEthernetCard');
  const attach = async (): Promise<void> =>
    isNic ? machines.attachNic(id, toNic(device), closing) : machines.attachDisk(id, toDisk(device, resolve), closing);
  const detach = async (): Promise<void> =>
    isNic ? machines.detachNic(id, device.key, closing) : machines.detachDisk(id, device.key, closing);
  try {
    switch (action.kind) {
      case 'attach':
        await attach();
        undo.defer(detach);
        return;
      case 'detach':
        await detach();
        undo.defer(attach);
        return;
      case 'update':
        await machines.updateNic(id, toNic(device), closing);
        undo.defer(async () => machines.updateNic(id, toNic(action.before), closing));
        return;
    }
  } catch (error) {
    throw generalFault(error);
  }
}

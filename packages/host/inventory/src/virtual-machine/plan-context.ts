import { randomBytes } from 'node:crypto';
import { VimFault, make } from '@vic/vim';
import type { Host } from '../model/host.ts';
import { Network } from '../objects/network.ts';
import { VirtualMachine } from '../objects/virtual-machine.ts';
import type { PlanContext } from './device-plan.ts';
import { isDisk } from './disk-plan.ts';
import type { Device, VmRecord } from './vm-record.ts';

/** What planning the devices of a machine may know of the inventory. */
export function planContext(host: Host, running: boolean): PlanContext {
  const macs = (): Set<string> =>
    new Set(host.objects.all(VirtualMachine).flatMap((vm) => vm.nics().map((nic) => nic.macAddress ?? '')));
  return {
    running,
    hasPortGroup: (name) => host.objects.find({ type: 'Network', value: `network-${name}` }) instanceof Network,
    newMac: () => newMac(macs()),
    macIsTaken: (mac) => macs().has(mac),
  };
}

/** Throws FileLocked when a disk that can be written is attached to another machine that is on. */
export function requireDisksFree(host: Host, record: VmRecord, devices: readonly Device[]): void {
  const others = host.objects
    .all(VirtualMachine)
    .filter((vm) => vm.record.moid !== record.moid && vm.record.powerState !== 'poweredOff');
  for (const disk of devices.filter(isDisk)) {
    const file = disk.backing.fileName;
    const mayShare = disk.backing.diskMode === 'independent_nonpersistent';
    for (const vm of others) {
      const same = vm.record.devices.filter(isDisk).find((other) => other.backing.fileName === file);
      if (same === undefined || (mayShare && same.backing.diskMode === 'independent_nonpersistent')) continue;
      throw new VimFault({
        fault: make('FileLocked', { file }),
        message: `${file} is in use by the machine ${vm.name}.`,
      });
    }
  }
}

/** VMware's range for generated addresses. */
function newMac(taken: ReadonlySet<string>): string {
  for (;;) {
    const [a = 0, b = 0, c = 0] = randomBytes(3);
    const mac = `00:0c:29:${[a, b, c].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`;
    if (!taken.has(mac)) return mac;
  }
}

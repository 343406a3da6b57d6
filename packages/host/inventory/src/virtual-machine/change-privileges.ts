import { isDataSubtype } from '@vic/vim';
import type { Call } from '../model/call.ts';
import type { ManagedEntity } from '../model/managed-entity.ts';
import type { Host } from '../model/host.ts';
import type { ConfigSpec } from './config-spec.ts';

/** Throws NoPermission unless the caller may make each of the changes of a specification. */
export function checkDeviceChangePrivileges(
  entity: ManagedEntity & { readonly host: Host },
  spec: ConfigSpec,
  call: Call,
): void {
  const needed = new Set<string>();
  for (const { operation, fileOperation, device } of spec.deviceChange ?? []) {
    const isDisk = isDataSubtype(device.$type ?? '', 'VirtualDisk');
    if (!isDisk)
      needed.add(operation === 'edit' ? 'VirtualMachine.Config.EditDevice' : 'VirtualMachine.Config.AddRemoveDevice');
    else if (operation === 'remove') needed.add('VirtualMachine.Config.RemoveDisk');
    else if (operation === 'edit') needed.add('VirtualMachine.Config.DiskExtend');
    else
      needed.add(
        fileOperation === 'create' ? 'VirtualMachine.Config.AddNewDisk' : 'VirtualMachine.Config.AddExistingDisk',
      );
  }
  if ((spec.extraConfig?.length ?? 0) > 0) needed.add('VirtualMachine.Config.AdvancedConfig');
  if (spec.numCPUs !== undefined) needed.add('VirtualMachine.Config.CPUCount');
  if (spec.memoryMB !== undefined) needed.add('VirtualMachine.Config.Memory');
  if (spec.name !== undefined) needed.add('VirtualMachine.Config.Rename');
  for (const privilege of needed) entity.host.authorization.require(call.userName, privilege, entity);
  requireProgramPrivilege(entity.host, spec, call);
}

/** A process VM runs a program on the host itself, which is the host administrator's to decide. */
export function requireProgramPrivilege(host: Host, spec: ConfigSpec, call: Call): void {
  if (spec.extraConfig?.some((option) => option.key === 'vic.program') === true) {
    host.authorization.require(call.userName, 'Global.Settings', undefined);
  }
}

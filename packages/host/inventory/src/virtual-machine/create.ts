import { type VirtualMachineRef, VimFault, make } from '@vic/vim';
import type { Call } from '../model/call.ts';
import { fileFault, invalidArgument, requireName } from '../model/faults.ts';
import type { Host } from '../model/host.ts';
import { ManagedEntity } from '../model/managed-entity.ts';
import { WELL_KNOWN } from '../model/well-known.ts';
import { VirtualMachine } from '../objects/virtual-machine.ts';
import { readConfigFile } from './config-file.ts';
import { type ConfigSpec, applyConfigSpec } from './config-spec.ts';
import { planDeviceChanges } from './device-plan.ts';
import { prepareDisks } from './disk-files.ts';
import { planContext } from './plan-context.ts';
import { postVmEvent } from './vm-events.ts';
import { type VmRecord, folderOf, newRecord } from './vm-record.ts';

/** Creates a machine: folder, disks, configuration file, record; all or nothing. */
export async function createMachine(
  host: Host,
  spec: ConfigSpec,
  pool: string,
  call: Call,
): Promise<VirtualMachineRef> {
  const { record, plan } = plannedMachine(host, spec, pool);
  await using undo = new AsyncDisposableStack();
  const { placed, finished } = await makeFolder(host, record, undo);
  const devices = await prepareDisks(
    host,
    placed === record ? plan : plannedMachine(host, spec, pool, placed).plan,
    undo,
  );
  const vm = await register(host, { ...placed, devices }, undo);
  undo.move();
  await finished();
  postVmEvent(vm, 'VmCreatedEvent', call.userName);
  return vm.ref as VirtualMachineRef;
}

/** Registers a machine from its configuration file. */
export async function registerMachine(
  host: Host,
  path: string,
  name: string | undefined,
  pool: string,
  call: Call,
): Promise<VirtualMachineRef> {
  if (host.objects.all(VirtualMachine).some((vm) => vm.record.vmPathName === path)) {
    throw new VimFault({ fault: make('AlreadyExists', { name: path }), message: `${path} is registered already.` });
  }
  const spec = await readConfigFile(host, path);
  const { record, plan } = plannedMachine(
    host,
    { ...spec, ...(name === undefined ? {} : { name }), files: { vmPathName: path } },
    pool,
  );
  await using undo = new AsyncDisposableStack();
  const devices = await prepareDisks(host, plan, undo);
  const vm = await register(host, { ...record, devices }, undo);
  undo.move();
  postVmEvent(vm, 'VmRegisteredEvent', call.userName);
  return vm.ref as VirtualMachineRef;
}

/** Writes the files of a new machine and shows it in the inventory. */
export async function register(host: Host, record: VmRecord, undo: AsyncDisposableStack): Promise<VirtualMachine> {
  const vm = new VirtualMachine(host, record, host.objects.get(WELL_KNOWN.vmFolder, ManagedEntity));
  await host.store.writeRecord('machines', record.moid, record);
  undo.defer(async () => host.store.removeRecord('machines', record.moid));
  vm.register();
  undo.defer(async () => vm.remove());
  vm.saveConfigFile();
  return vm;
}

/** A machine whose folder is there. */
export interface PlacedMachine {
  /** The record with the folder it really got. */
  readonly placed: VmRecord;
  /** To be called once there is nothing any more that a kill would leave half done. */
  readonly finished: () => Promise<void>;
}

/** Makes the folder of a new machine. From then on a host that is killed takes all of it back when it starts. */
export async function makeFolder(host: Host, record: VmRecord, undo: AsyncDisposableStack): Promise<PlacedMachine> {
  const wanted = folderOf(record);
  for (let number = 0; ; number++) {
    const folder = number === 0 ? wanted : `${wanted}_${number}`;
    try {
      await host.datastores.makeDirectory(folder, { parents: true });
    } catch (error) {
      const fault = fileFault(error, folder);
      if (fault.class !== 'AlreadyExists') throw fault;
      if (await exists(host, `${folder}/${fileNameOf(record)}`)) {
        if (number < 100) continue;
        throw fault;
      }
      return { placed: withFolder(record, folder), finished: async () => undefined };
    }
    const { moid, name } = record;
    const finished = await host.unfinished.begin({ kind: 'create', moid, name, folder });
    undo.defer(finished);
    undo.defer(async () => host.datastores.delete(folder));
    return { placed: withFolder(record, folder), finished };
  }
}

async function exists(host: Host, path: string): Promise<boolean> {
  try {
    await host.datastores.stat(path);
    return true;
  } catch {
    return false;
  }
}

function withFolder(record: VmRecord, folder: string): VmRecord {
  const vmPathName = `${folder}/${fileNameOf(record)}`;
  return vmPathName === record.vmPathName ? record : { ...record, vmPathName };
}

function fileNameOf(record: VmRecord): string {
  return record.vmPathName.slice(record.vmPathName.lastIndexOf('/') + 1);
}

function plannedMachine(
  host: Host,
  spec: ConfigSpec,
  pool: string,
  placed?: VmRecord,
): { record: VmRecord; plan: ReturnType<typeof planDeviceChanges> } {
  const base =
    placed ??
    applyConfigSpec(
      host,
      newRecord({
        name: requireName(spec.name ?? ''),
        vmPathName: vmPath(host, spec.files?.vmPathName ?? '', spec.name ?? ''),
        pool,
        nowMs: host.now().getTime(),
      }),
      spec,
    );
  return { record: base, plan: planDeviceChanges(base, spec.deviceChange ?? [], planContext(host, false)) };
}

/** The path of the configuration file: as given, or in a new folder with the machine's name. */
export function vmPath(host: Host, given: string, name: string): string {
  const match = /^\[([^\]]+)\]\s*(.*)$/.exec(given);
  const datastore = match?.[1];
  const rest = (match?.[2] ?? '').replace(/\/$/, '');
  if (datastore === undefined) {
    throw new VimFault({
      fault: make('InvalidDatastorePath', { datastorePath: given.slice(0, 200) }),
      message: 'files.vmPathName must name a datastore: "[datastore]".',
    });
  }
  if (host.objects.find({ type: 'Datastore', value: `datastore-${datastore}` }) === undefined) {
    throw new VimFault({
      fault: make('InvalidDatastorePath', { datastorePath: given.slice(0, 200) }),
      message: `There is no datastore ${datastore.slice(0, 100)}.`,
    });
  }
  if (rest === '') return `[${datastore}] ${name}/${name}.vmx`;
  if (!rest.endsWith('.vmx')) return `[${datastore}] ${rest}/${name}.vmx`;
  if (!rest.includes('/')) throw invalidArgument('files.vmPathName', 'A machine needs a folder of its own.');
  return `[${datastore}] ${rest}`;
}

import { VicError } from '@vic/errors';
import { isFault, reference } from '@vic/vim';
import type { FolderRef, OptionValue, ResourcePoolRef, VirtualDevice, VirtualMachineRef } from '@vic/vim';
import { properties } from '@vic/vim-client';
import type { VimClient } from '@vic/vim-client';
import { MACHINE_CHANGED, MACHINE_POWER_STATE } from '../execution/machine.ts';
import type {
  Machine,
  MachineChange,
  MachineInfrastructure,
  MachineSpec,
  MachineUpdate,
} from '../execution/machine.ts';
import { cloneChanges, devicesOf } from './machine-devices.ts';
import { MACHINE_PROPERTIES, machineOf } from './machine-properties.ts';
import { watchMachines } from './machine-watch.ts';

/** Where the machines of a VCH are made. */
export interface VimMachinesDeps {
  readonly client: VimClient;
  readonly pool: ResourcePoolRef;
  readonly folder: FolderRef;
  /** Datastore that holds the machines' folders. */
  readonly datastore: string;
  readonly bootstrapIso: string;
}

/** The machines of a VCH over the vSphere API. */
export class VimMachines implements MachineInfrastructure {
  readonly #deps: VimMachinesDeps;
  /** Devices of templates: fixed once they are frozen. */
  readonly #templateDevices = new Map<string, readonly VirtualDevice[]>();

  constructor(deps: VimMachinesDeps) {
    this.#deps = deps;
  }

  async create(spec: MachineSpec, signal: AbortSignal): Promise<string> {
    const { client, folder, pool, datastore, bootstrapIso } = this.#deps;
    const config = {
      name: spec.name,
      guestId: 'otherGuest64',
      files: { vmPathName: `[${datastore}]` },
      numCPUs: spec.shape.cpus,
      memoryMB: spec.shape.memoryMiB,
      deviceChange: devicesOf(spec, bootstrapIso),
      extraConfig: optionsOf(spec.extraConfig),
    };
    const made = await named(client.runTask(folder, 'CreateVM_Task', { config, pool }, { signal }));
    return made.value;
  }

  async instantClone(template: string, spec: MachineSpec, signal: AbortSignal): Promise<string> {
    const { client, folder, pool } = this.#deps;
    const devices = await this.#devicesOf(template, signal);
    const made = await named(
      client.runTask(
        vm(template),
        'InstantClone_Task',
        {
          spec: {
            name: spec.name,
            location: { folder, pool, deviceChange: cloneChanges(spec, devices) },
            config: optionsOf(spec.extraConfig),
          },
        },
        { signal },
      ),
    );
    return made.value;
  }

  async powerOn(ref: string, signal: AbortSignal): Promise<void> {
    await named(this.#deps.client.runTask(vm(ref), 'PowerOnVM_Task', {}, { signal }));
  }

  async powerOff(ref: string, signal: AbortSignal): Promise<void> {
    await named(this.#deps.client.runTask(vm(ref), 'PowerOffVM_Task', {}, { signal }));
  }

  async destroy(ref: string, signal: AbortSignal): Promise<void> {
    this.#templateDevices.delete(ref);
    await named(this.#deps.client.runTask(vm(ref), 'Destroy_Task', {}, { signal }));
  }

  async reconfigure(ref: string, change: MachineChange, signal: AbortSignal): Promise<void> {
    const spec = {
      ...(change.changeVersion === '' ? {} : { changeVersion: change.changeVersion }),
      ...(change.name === undefined ? {} : { name: change.name }),
      extraConfig: optionsOf(change.extraConfig),
    };
    await named(this.#deps.client.runTask(vm(ref), 'ReconfigVM_Task', { spec }, { signal }));
  }

  async read(ref: string, signal: AbortSignal): Promise<Machine | undefined> {
    try {
      const values = await properties(this.#deps.client, vm(ref), MACHINE_PROPERTIES, { signal });
      return machineOf(ref, values);
    } catch (error) {
      if (isFault(error, 'ManagedObjectNotFound')) return undefined;
      throw error;
    }
  }

  watch(signal: AbortSignal): AsyncIterable<readonly MachineUpdate[]> {
    return watchMachines(this.#deps.client, this.#deps.pool, signal);
  }

  async #devicesOf(template: string, signal: AbortSignal): Promise<readonly VirtualDevice[]> {
    const known = this.#templateDevices.get(template);
    if (known !== undefined) return known;
    const path = 'config.hardware.device';
    const values = await named(properties(this.#deps.client, vm(template), [path], { signal }));
    const devices = values[path] ?? [];
    this.#templateDevices.set(template, devices);
    return devices;
  }
}

function vm(ref: string): VirtualMachineRef {
  return reference('VirtualMachine', ref);
}

function optionsOf(extraConfig: Readonly<Record<string, string>>): OptionValue[] {
  return Object.entries(extraConfig).map(([key, value]) => ({ key, value }));
}

/** Gives the faults that the execution acts on the names it knows them by. */
async function named<T>(operation: Promise<T>): Promise<T> {
  try {
    return await operation;
  } catch (error) {
    if (isFault(error, 'ConcurrentAccess')) throw conflict(MACHINE_CHANGED, error);
    if (isFault(error, 'InvalidPowerState')) throw conflict(MACHINE_POWER_STATE, error);
    throw error;
  }
}

function conflict(code: string, cause: Error): VicError {
  return new VicError({ class: 'Conflict', code, message: cause.message, cause });
}

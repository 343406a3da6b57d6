import { type ResourcePoolRef, type TaskRef, sameReference } from '@vic/vim';
import type { Call, Handlers } from '../model/call.ts';
import { notSupported } from '../model/faults.ts';
import type { Host } from '../model/host.ts';
import { ManagedEntity } from '../model/managed-entity.ts';
import { WELL_KNOWN } from '../model/well-known.ts';
import { requireProgramPrivilege } from '../virtual-machine/change-privileges.ts';
import type { ConfigSpec } from '../virtual-machine/config-spec.ts';
import { createMachine, registerMachine } from '../virtual-machine/create.ts';
import { ResourcePool } from './resource-pool.ts';

/** One of the fixed folders of a lone host. */
export class Folder extends ManagedEntity {
  readonly host: Host;
  readonly #childTypes: readonly string[];

  constructor(
    host: Host,
    value: string,
    place: { name: string; parent: ManagedEntity | undefined; childTypes: readonly string[] },
  ) {
    super('Folder', value, host.changes, place);
    this.host = host;
    this.#childTypes = place.childTypes;
  }

  protected readonly properties = {
    ...this.entityProperties(),
    childType: () => this.#childTypes,
    childEntity: () => this.children().map((entity) => entity.ref),
  };

  readonly handlers: Handlers<Folder> = folderHandlers;

  override children(): readonly ManagedEntity[] {
    return this.host.objects.childrenOf(this);
  }

  createVm(spec: ConfigSpec, pool: ResourcePoolRef, call: Call): TaskRef {
    this.#requireVmFolder();
    requireProgramPrivilege(this.host, spec, call);
    const poolValue = this.host.objects.get(pool, ResourcePool).ref.value;
    return this.host.tasks.start('CreateVM_Task', this, call, async () =>
      createMachine(this.host, spec, poolValue, call),
    );
  }

  registerVm(
    args: { path: string; name?: string | undefined; asTemplate: boolean; pool?: ResourcePoolRef | undefined },
    call: Call,
  ): TaskRef {
    this.#requireVmFolder();
    if (args.asTemplate) throw notSupported('A lone host has no templates.');
    // A file that anyone may have uploaded can name a program of the host.
    this.host.authorization.require(call.userName, 'Global.Settings', undefined);
    const pool = this.host.objects.get(args.pool ?? WELL_KNOWN.rootPool, ResourcePool).ref.value;
    return this.host.tasks.start('RegisterVM_Task', this, call, async () =>
      registerMachine(this.host, args.path, args.name, pool, call),
    );
  }

  #requireVmFolder(): void {
    if (!sameReference(this.ref, WELL_KNOWN.vmFolder))
      throw notSupported('Machines of this host are in the folder ha-folder-vm.');
  }
}

const folderHandlers: Handlers<Folder> = {
  CreateVM_Task: (folder, { config, pool }, call) => folder.createVm(config, pool, call),
  RegisterVM_Task: (folder, args, call) => folder.registerVm(args, call),
  CreateFolder: () => {
    throw notSupported('A lone host has fixed folders.');
  },
};

import type { Handlers } from '../model/call.ts';
import type { Host } from '../model/host.ts';
import { ManagedEntity } from '../model/managed-entity.ts';
import { WELL_KNOWN } from '../model/well-known.ts';
import { VirtualMachine } from './virtual-machine.ts';

/** A port group as machines see it. */
export class Network extends ManagedEntity {
  readonly #host: Host;

  constructor(host: Host, name: string, parent: ManagedEntity) {
    super('Network', `network-${name}`, host.changes, { name, parent });
    this.#host = host;
  }

  protected readonly properties = {
    ...this.entityProperties(),
    summary: () => ({ network: this.ref, name: this.name, accessible: true, ipPoolName: '' }),
    host: () => [WELL_KNOWN.host],
    vm: () => this.machines().map((vm) => vm.ref),
  };

  readonly handlers: Handlers<Network> = {};

  override children(): readonly ManagedEntity[] {
    return [];
  }

  /** The machines that have a NIC in this port group. */
  machines(): readonly VirtualMachine[] {
    return this.#host.objects.all(VirtualMachine).filter((vm) => vm.portGroups().has(this.name));
  }
}

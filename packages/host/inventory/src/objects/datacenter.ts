import type { Handlers } from '../model/call.ts';
import type { Host } from '../model/host.ts';
import { ManagedEntity } from '../model/managed-entity.ts';
import { WELL_KNOWN } from '../model/well-known.ts';
import { Datastore } from './datastore.ts';
import { Network } from './network.ts';

/** The one datacenter of a lone host. */
export class Datacenter extends ManagedEntity {
  readonly #host: Host;

  constructor(host: Host, parent: ManagedEntity) {
    super('Datacenter', WELL_KNOWN.datacenter.value, host.changes, { name: 'ha-datacenter', parent });
    this.#host = host;
    host.objects.onEntitiesChanged(() => this.touch('datastore', 'network'));
  }

  protected readonly properties = {
    ...this.entityProperties(),
    vmFolder: () => WELL_KNOWN.vmFolder,
    hostFolder: () => WELL_KNOWN.hostFolder,
    datastoreFolder: () => WELL_KNOWN.datastoreFolder,
    networkFolder: () => WELL_KNOWN.networkFolder,
    datastore: () => this.#host.objects.all(Datastore).map((datastore) => datastore.ref),
    network: () => this.#host.objects.all(Network).map((network) => network.ref),
    configuration: () => ({}),
  };

  readonly handlers: Handlers<Datacenter> = {};

  override children(): readonly ManagedEntity[] {
    const folders = [WELL_KNOWN.vmFolder, WELL_KNOWN.hostFolder, WELL_KNOWN.datastoreFolder, WELL_KNOWN.networkFolder];
    return folders.map((ref) => this.#host.objects.get(ref, ManagedEntity));
  }
}

import type { Handlers } from '../model/call.ts';
import type { Host } from '../model/host.ts';
import { ManagedObject } from '../model/managed-object.ts';
import { WELL_KNOWN } from '../model/well-known.ts';
import { Datastore } from './datastore.ts';

/** The datastores of the host; which there are is decided in its configuration file. */
export class HostDatastoreSystem extends ManagedObject {
  readonly #host: Host;

  constructor(host: Host) {
    super('HostDatastoreSystem', WELL_KNOWN.datastoreSystem.value, host.changes);
    this.#host = host;
    host.objects.onEntitiesChanged(() => this.touch('datastore'));
  }

  protected readonly properties = {
    datastore: () => this.#host.objects.all(Datastore).map((datastore) => datastore.ref),
    capabilities: () => ({
      nfsMountCreationRequired: false,
      nfsMountCreationSupported: false,
      localDatastoreSupported: true,
      vmfsExtentExpansionSupported: false,
    }),
  };

  readonly handlers: Handlers<HostDatastoreSystem> = {};
}

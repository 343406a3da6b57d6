import type { DatastoreSummary } from '../backends/index.ts';
import type { Handlers } from '../model/call.ts';
import type { Host } from '../model/host.ts';
import { ManagedEntity } from '../model/managed-entity.ts';
import { WELL_KNOWN } from '../model/well-known.ts';
import { VirtualMachine } from './virtual-machine.ts';

const MAX_FILE_BYTES = 2 ** 46;

/** A datastore. */
export class Datastore extends ManagedEntity {
  readonly #host: Host;
  #summary: DatastoreSummary;

  constructor(host: Host, summary: DatastoreSummary, parent: ManagedEntity) {
    super('Datastore', `datastore-${summary.name}`, host.changes, { name: summary.name, parent });
    this.#host = host;
    this.#summary = summary;
  }

  protected readonly properties = {
    ...this.entityProperties(),
    summary: () => ({
      datastore: this.ref,
      name: this.name,
      url: this.#url(),
      capacity: this.#summary.capacityBytes,
      freeSpace: this.#summary.freeBytes,
      accessible: true,
      multipleHostAccess: false,
      type: 'OTHER',
      maintenanceMode: 'normal',
    }),
    info: () => ({
      $type: 'LocalDatastoreInfo',
      name: this.name,
      url: this.#url(),
      freeSpace: this.#summary.freeBytes,
      maxFileSize: MAX_FILE_BYTES,
      maxVirtualDiskCapacity: MAX_FILE_BYTES,
      maxMemoryFileSize: MAX_FILE_BYTES,
    }),
    host: () => [{ key: WELL_KNOWN.host, mountInfo: { accessMode: 'readWrite', mounted: true, accessible: true } }],
    vm: () =>
      this.#host.objects
        .all(VirtualMachine)
        .filter((vm) => vm.datastoreNames().has(this.name))
        .map((vm) => vm.ref),
    browser: () => WELL_KNOWN.datastoreBrowser,
    capability: () => ({
      directoryHierarchySupported: true,
      rawDiskMappingsSupported: false,
      perFileThinProvisioningSupported: true,
      storageIORMSupported: false,
      nativeSnapshotSupported: false,
      topLevelDirectoryCreateSupported: true,
    }),
  };

  readonly handlers: Handlers<Datastore> = {
    RefreshDatastore: async () => {
      await this.refresh();
      return undefined;
    },
  };

  override children(): readonly ManagedEntity[] {
    return [];
  }

  /** Reads capacity and free space again. */
  async refresh(): Promise<void> {
    const now = (await this.#host.datastores.datastores()).find((summary) => summary.name === this.name);
    if (
      now === undefined ||
      (now.freeBytes === this.#summary.freeBytes && now.capacityBytes === this.#summary.capacityBytes)
    )
      return;
    this.#summary = now;
    this.touch('summary', 'info');
  }

  #url(): string {
    return `ds:///vmfs/volumes/${encodeURIComponent(this.name)}/`;
  }
}

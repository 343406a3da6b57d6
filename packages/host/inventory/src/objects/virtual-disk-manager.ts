import { createHash } from 'node:crypto';
import { type VirtualDiskInfo, type VirtualDiskSpec, isA } from '@vic/vim';
import type { VirtualDiskInfo as DiskOnHost } from '../backends/index.ts';
import type { Call, Handlers } from '../model/call.ts';
import { fileFault, invalidArgument, notSupported } from '../model/faults.ts';
import type { Host } from '../model/host.ts';
import { ManagedObject } from '../model/managed-object.ts';
import { WELL_KNOWN } from '../model/well-known.ts';
import { datastorePathOf, requireDatastorePrivilege } from '../server/datastore-path.ts';

/** More than any disk's ancestors; a loop among damaged files would have no end. */
const MAX_CHAIN = 1024;

/** Virtual disks that no machine has to be involved in. */
export class VirtualDiskManager extends ManagedObject {
  readonly #host: Host;

  constructor(host: Host) {
    super('VirtualDiskManager', WELL_KNOWN.virtualDiskManager.value, host.changes);
    this.#host = host;
  }

  protected readonly properties = {};

  readonly handlers: Handlers<VirtualDiskManager> = {
    CreateVirtualDisk_Task: (self, { name, spec }, call) => {
      const path = this.#path(name, call);
      const capacityBytes = capacityOf(spec);
      return this.#host.tasks.start('CreateVirtualDisk_Task', self, call, async () => {
        await attempt(path, this.#host.datastores.createDisk(path, capacityBytes));
        return path;
      });
    },
    DeleteVirtualDisk_Task: (self, { name }, call) => {
      const path = this.#path(name, call);
      return this.#host.tasks.start('DeleteVirtualDisk_Task', self, call, async () => {
        await attempt(path, this.#host.datastores.deleteDisk(path));
        return undefined;
      });
    },
    CopyVirtualDisk_Task: (self, { sourceName, destName, destSpec, force }, call) => {
      const [source, destination] = [this.#path(sourceName, call), this.#path(destName, call)];
      if (destSpec !== undefined && isA(destSpec, 'FileBackedVirtualDiskSpec'))
        throw notSupported('A copy keeps the capacity of its source.');
      if (force === true) throw notSupported('A copy does not replace a disk: delete it first.');
      return this.#host.tasks.start('CopyVirtualDisk_Task', self, call, async () => {
        await attempt(source, this.#host.datastores.copyDisk(source, destination));
        return destination;
      });
    },
    ExtendVirtualDisk_Task: (self, { name, newCapacityKb }, call) => {
      const path = this.#path(name, call);
      if (newCapacityKb <= 0) throw invalidArgument('newCapacityKb', 'A disk needs a capacity.');
      return this.#host.tasks.start('ExtendVirtualDisk_Task', self, call, async () => {
        await attempt(path, this.#host.datastores.extendDisk(path, newCapacityKb * 1024));
        return undefined;
      });
    },
    QueryVirtualDiskInfo_Task: (self, { name, includeParents }, call) => {
      const path = this.#path(name, call);
      return this.#host.tasks.start('QueryVirtualDiskInfo_Task', self, call, async () =>
        this.#chain(path, includeParents),
      );
    },
    QueryVirtualDiskUuid: async (_self, { name }, call) => {
      const path = this.#path(name, call);
      await attempt(path, this.#host.datastores.diskInfo(path));
      // Disks of this host carry no UUID of their own: the name is their identity.
      const hex = createHash('sha256').update(path).digest('hex');
      return `60 00 C2 9${hex[0]} ${[...Array(12).keys()].map((i) => hex.slice(i * 2 + 2, i * 2 + 4)).join(' ')}`;
    },
  };

  /** A disk and, when asked for, those it is a child of, nearest first. */
  async #chain(path: string, includeParents: boolean): Promise<readonly VirtualDiskInfo[]> {
    const chain: VirtualDiskInfo[] = [];
    for (let next: string | undefined = path; next !== undefined && chain.length < MAX_CHAIN;) {
      const { parent }: DiskOnHost = await attempt(next, this.#host.datastores.diskInfo(next));
      chain.push({ unit: { name: next }, diskType: 'thin', ...(parent === undefined ? {} : { parent }) });
      next = includeParents ? parent : undefined;
    }
    return chain;
  }

  #path(name: string, call: Call): string {
    const path = datastorePathOf(name);
    requireDatastorePrivilege(this.#host, path, 'Datastore.FileManagement', call.userName);
    return path;
  }
}

const DISK_TYPES: readonly string[] = ['thin', 'preallocated', 'thick'];

function capacityOf(spec: VirtualDiskSpec): number {
  if (!isA(spec, 'FileBackedVirtualDiskSpec'))
    throw invalidArgument('spec', 'A disk needs a FileBackedVirtualDiskSpec.');
  if (!DISK_TYPES.includes(spec.diskType))
    throw invalidArgument('spec.diskType', `Disks of this host are ${DISK_TYPES.join(', ')}; all of them are thin.`);
  if (spec.capacityKb <= 0) throw invalidArgument('spec.capacityKb', 'A disk needs a capacity.');
  return spec.capacityKb * 1024;
}

async function attempt<T>(path: string, operation: Promise<T>): Promise<T> {
  try {
    return await operation;
  } catch (error) {
    throw fileFault(error, path);
  }
}

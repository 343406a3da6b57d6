import type { Call, Handlers } from '../model/call.ts';
import { fileFault } from '../model/faults.ts';
import type { Host } from '../model/host.ts';
import { ManagedObject } from '../model/managed-object.ts';
import { WELL_KNOWN } from '../model/well-known.ts';
import { datastorePathOf, requireDatastorePrivilege } from '../server/datastore-path.ts';

/** Files and folders of datastores. */
export class FileManager extends ManagedObject {
  readonly #host: Host;

  constructor(host: Host) {
    super('FileManager', WELL_KNOWN.fileManager.value, host.changes);
    this.#host = host;
  }

  protected readonly properties = {};

  readonly handlers: Handlers<FileManager> = {
    MakeDirectory: async (_self, { name, createParentDirectories }, call) => {
      const path = this.#path(name, call);
      await attempt(path, this.#host.datastores.makeDirectory(path, { parents: createParentDirectories ?? false }));
      return undefined;
    },
    DeleteDatastoreFile_Task: (self, { name }, call) => {
      const path = this.#path(name, call);
      return this.#host.tasks.start('DeleteDatastoreFile_Task', self, call, async () =>
        attempt(path, this.#host.datastores.delete(path)),
      );
    },
    MoveDatastoreFile_Task: (self, { sourceName, destinationName, force }, call) => {
      const [source, destination] = [this.#path(sourceName, call), this.#path(destinationName, call)];
      return this.#host.tasks.start('MoveDatastoreFile_Task', self, call, async () =>
        attempt(source, this.#host.datastores.move(source, destination, { force: force ?? false })),
      );
    },
    CopyDatastoreFile_Task: (self, { sourceName, destinationName, force }, call) => {
      const [source, destination] = [this.#path(sourceName, call), this.#path(destinationName, call)];
      return this.#host.tasks.start('CopyDatastoreFile_Task', self, call, async () =>
        attempt(source, this.#host.datastores.copy(source, destination, { force: force ?? false })),
      );
    },
  };

  #path(name: string, call: Call): string {
    const path = datastorePathOf(name);
    requireDatastorePrivilege(this.#host, path, 'Datastore.FileManagement', call.userName);
    return path;
  }
}

async function attempt(path: string, operation: Promise<void>): Promise<undefined> {
  try {
    await operation;
    return undefined;
  } catch (error) {
    throw fileFault(error, path);
  }
}

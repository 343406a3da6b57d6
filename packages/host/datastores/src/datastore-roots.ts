import { realpath } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { VicError } from '@vic/errors';
import { formatDatastorePath, parseDatastorePath } from './datastore-path.ts';
import { fromFileSystem, refused } from './datastore-errors.ts';

/** One directory of the host that is a datastore. */
export interface DatastoreRoot {
  readonly name: string;
  readonly directory: string;
}

/** A datastore path and where it is on the host. */
export interface Location {
  /** The datastore path in its usual form. */
  readonly path: string;
  readonly hostPath: string;
  readonly root: DatastoreRoot;
}

/** Translates between datastore paths and host paths, and keeps both inside the datastores. */
export class DatastoreRoots {
  readonly #roots: readonly DatastoreRoot[];

  constructor(roots: readonly DatastoreRoot[]) {
    this.#roots = roots.map((root) => ({ name: root.name, directory: resolve(root.directory) }));
  }

  get all(): readonly DatastoreRoot[] {
    return this.#roots;
  }

  /** Where a path is, by its text alone. */
  resolve(path: string): Location {
    const parsed = parseDatastorePath(path);
    const root = this.#roots.find((candidate) => candidate.name === parsed.datastore);
    if (root === undefined) throw unknownDatastore(parsed.datastore);
    return { path: formatDatastorePath(parsed), hostPath: join(root.directory, ...parsed.components), root };
  }

  /**
   * Where a path is, with the folder it is in checked: no component of it may be a symbolic link.
   *
   * The last component is not looked at, since it may not exist; files are opened without following links.
   */
  async locate(path: string): Promise<Location> {
    const location = this.resolve(path);
    if (location.hostPath === location.root.directory) return location;
    const folder = dirname(location.hostPath);
    const [realRoot, realFolder] = await Promise.all([realpath(location.root.directory), realpath(folder)]).catch(
      (error: unknown) => {
        throw fromFileSystem(error, location.path);
      },
    );
    const expected = join(realRoot, relative(location.root.directory, folder));
    if (realFolder === expected) return location;
    throw refused(`${location.path} goes through a symbolic link, which datastores do not follow.`);
  }

  /** Like {@link locate}, for something other than the datastore itself. */
  async locateBelowRoot(path: string): Promise<Location> {
    const location = await this.locate(path);
    if (location.hostPath !== location.root.directory) return location;
    throw refused(`${location.path} is the datastore itself.`);
  }

  /** The datastore path of a host path, or `undefined` for one outside every datastore. */
  pathOf(hostPath: string): string | undefined {
    const root = this.#roots.find(({ directory }) => hostPath === directory || hostPath.startsWith(directory + sep));
    if (root === undefined) return undefined;
    const components = relative(root.directory, hostPath).split(sep).filter(Boolean);
    return formatDatastorePath({ datastore: root.name, components });
  }
}

function unknownDatastore(name: string): VicError {
  return new VicError({
    class: 'NotFound',
    code: 'DATASTORE_NOT_FOUND',
    message: `There is no datastore ${name} on this host.`,
  });
}

import { VicError } from '@vic/errors';
import type { HttpResponse } from '@vic/http-client';
import { isFault, type HostDatastoreBrowserSearchResults, type ManagedObjectReference } from '@vic/vim';
import { folderUrl, formatDatastorePath } from './datastore-path.ts';
import { inventoryPath } from './finder.ts';
import { properties } from './property-collector.ts';
import { requireManager } from './service-managers.ts';
import type { VimClient } from './vim-client.ts';

/** One entry of a directory. */
export interface DatastoreEntry {
  readonly name: string;
  readonly isDirectory: boolean;
  readonly sizeBytes: number | undefined;
  readonly modified: Date | undefined;
}

/** What is known of a file without reading it. */
export interface DatastoreFileInfo {
  readonly sizeBytes: number | undefined;
  readonly modified: Date | undefined;
}

/** How long a whole transfer of metadata may take; data has no limit but its signal. */
const OPERATION_TIMEOUT_MS = 60_000;

/** The files of one datastore. Paths are relative to its root. */
export class DatastoreFiles {
  readonly #client: VimClient;
  readonly #datacenter: ManagedObjectReference<'Datacenter'>;
  readonly #datacenterPath: string;
  readonly #datastore: string;
  readonly #browser: ManagedObjectReference;

  private constructor(
    client: VimClient,
    datacenter: { readonly ref: ManagedObjectReference<'Datacenter'>; readonly path: string },
    datastore: { readonly name: string; readonly browser: ManagedObjectReference },
  ) {
    this.#client = client;
    this.#datacenter = datacenter.ref;
    this.#datacenterPath = datacenter.path;
    this.#datastore = datastore.name;
    this.#browser = datastore.browser;
  }

  /** Opens a datastore of a data center. */
  static async open(
    client: VimClient,
    datacenter: ManagedObjectReference<'Datacenter'>,
    datastore: ManagedObjectReference<'Datastore'>,
    signal?: AbortSignal,
  ): Promise<DatastoreFiles> {
    const path = await inventoryPath(client, datacenter, { signal });
    const { name, browser } = await properties(client, datastore, ['name', 'browser'], { signal });
    if (name === undefined || browser === undefined) throw unreadable(datastore.value);
    return new DatastoreFiles(client, { ref: datacenter, path }, { name, browser });
  }

  /** `[datastore] path`, the form in which the API names files. */
  pathOf(path: string): string {
    return formatDatastorePath({ datastore: this.#datastore, path });
  }

  /** The entries of a directory, in the server's order; a directory that is not there is a `NotFound` error. */
  async list(directory: string, signal?: AbortSignal): Promise<readonly DatastoreEntry[]> {
    const results = await this.#client.runTask(
      this.#browser,
      'SearchDatastore_Task',
      {
        datastorePath: this.pathOf(directory),
        searchSpec: {
          details: { fileType: true, fileSize: true, modification: true, fileOwner: false },
          // Said although it is the default: govmomi's simulator finds nothing without.
          matchPattern: ['*'],
        },
      },
      { signal },
    );
    return entriesOf(results);
  }

  /** Size and time of a file, `undefined` when it is not there. */
  async head(path: string, signal?: AbortSignal): Promise<DatastoreFileInfo | undefined> {
    const response = await this.#send(path, 'HEAD', {}, withTimeout(signal));
    response.discard();
    if (response.status === 404) return undefined;
    this.#requireOk(response, path);
    const length = response.header('content-length');
    const modified = new Date(response.header('last-modified') ?? '');
    return {
      sizeBytes: length === undefined ? undefined : Number(length),
      modified: Number.isNaN(modified.getTime()) ? undefined : modified,
    };
  }

  /** The bytes of a file, or those from `startByte` up to and without `endByte`. */
  async read(
    path: string,
    options: { readonly startByte?: number; readonly endByte?: number; readonly signal?: AbortSignal } = {},
  ): Promise<AsyncIterable<Uint8Array>> {
    const { startByte, endByte, signal } = options;
    const isRange = startByte !== undefined || endByte !== undefined;
    const range = `bytes=${startByte ?? 0}-${endByte === undefined ? '' : endByte - 1}`;
    const response = await this.#send(path, 'GET', isRange ? { range } : {}, signal);
    const wanted = isRange ? 206 : 200;
    if (response.status === wanted) return response;
    response.discard();
    this.#requireOk(response, path);
    throw new VicError({
      class: 'NotSupported',
      code: 'VIM_FILE_RANGE_IGNORED',
      message: `The server answered a request for a part of ${this.pathOf(path)} with status ${response.status}.`,
    });
  }

  /** Writes a file as its bytes arrive, replacing one that is there; some servers want to know the size. */
  async write(
    path: string,
    content: Uint8Array | AsyncIterable<Uint8Array>,
    options: { readonly sizeBytes?: number; readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    const size = content instanceof Uint8Array ? content.byteLength : options.sizeBytes;
    const response = await this.#client.request(this.#url(path), {
      method: 'PUT',
      headers: {
        'content-type': 'application/octet-stream',
        ...(size === undefined ? {} : { 'content-length': String(size) }),
      },
      body: content,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    response.discard();
    this.#requireOk(response, path);
  }

  /** Deletes a file or a directory with everything in it; nothing happens when it is not there. */
  async delete(path: string, signal?: AbortSignal): Promise<void> {
    const manager = requireManager(this.#client, 'fileManager');
    const args = { name: this.pathOf(path), datacenter: this.#datacenter };
    try {
      await this.#client.runTask(manager, 'DeleteDatastoreFile_Task', args, { signal });
    } catch (error) {
      if (!isFault(error, 'FileNotFound')) throw error;
    }
  }

  /** Makes a directory and those above it; one that is there already is fine. */
  async makeDirectory(path: string, signal?: AbortSignal): Promise<void> {
    const manager = requireManager(this.#client, 'fileManager');
    const args = { name: this.pathOf(path), datacenter: this.#datacenter, createParentDirectories: true };
    try {
      await this.#client.call(manager, 'MakeDirectory', args, { signal });
    } catch (error) {
      if (!isFault(error, 'FileAlreadyExists')) throw error;
    }
  }

  /** Moves a file or a directory within the datastore; replaces what is at the target only with `force`. */
  async move(
    from: string,
    to: string,
    options: { readonly force?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    const manager = requireManager(this.#client, 'fileManager');
    const args = {
      sourceName: this.pathOf(from),
      sourceDatacenter: this.#datacenter,
      destinationName: this.pathOf(to),
      destinationDatacenter: this.#datacenter,
      force: options.force ?? false,
    };
    await this.#client.runTask(manager, 'MoveDatastoreFile_Task', args, { signal: options.signal });
  }

  async #send(
    path: string,
    method: 'GET' | 'HEAD',
    headers: Record<string, string>,
    signal: AbortSignal | undefined,
  ): Promise<HttpResponse> {
    return this.#client.request(this.#url(path), { method, headers, ...(signal === undefined ? {} : { signal }) });
  }

  #url(path: string): string {
    return folderUrl(this.#datacenterPath, { datastore: this.#datastore, path });
  }

  #requireOk(response: HttpResponse, path: string): void {
    if (response.ok) return;
    const name = this.pathOf(path);
    if (response.status === 404) {
      throw new VicError({ class: 'NotFound', code: 'VIM_FILE_NOT_FOUND', message: `There is no file ${name}.` });
    }
    const refused = response.status === 401 || response.status === 403;
    throw new VicError({
      class: refused ? 'PermissionDenied' : 'Unavailable',
      code: refused ? 'VIM_FILE_FORBIDDEN' : 'VIM_HTTP_STATUS',
      message: `The server answered the transfer of ${name} with HTTP status ${response.status}.`,
    });
  }
}

function entriesOf(results: HostDatastoreBrowserSearchResults): DatastoreEntry[] {
  return (results.file ?? []).map((file) => ({
    name: file.path,
    isDirectory: file.$type === 'FolderFileInfo',
    sizeBytes: file.fileSize,
    modified: file.modification,
  }));
}

function withTimeout(signal: AbortSignal | undefined): AbortSignal {
  const timeout = AbortSignal.timeout(OPERATION_TIMEOUT_MS);
  return signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
}

function unreadable(datastore: string): VicError {
  return new VicError({
    class: 'PermissionDenied',
    code: 'VIM_DATASTORE_UNREADABLE',
    message: `The name and the browser of ${datastore} cannot be read.`,
    remedy: 'Give the user the privilege Datastore.Browse on it.',
  });
}

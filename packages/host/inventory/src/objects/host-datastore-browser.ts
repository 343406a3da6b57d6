import {
  type FileInfo,
  type HostDatastoreBrowserSearchResults,
  type HostDatastoreBrowserSearchSpec,
  isDataSubtype,
} from '@vic/vim';
import type { DatastoreFile } from '../backends/index.ts';
import type { Handlers } from '../model/call.ts';
import { fileFault } from '../model/faults.ts';
import type { Host } from '../model/host.ts';
import { ManagedObject } from '../model/managed-object.ts';
import { WELL_KNOWN } from '../model/well-known.ts';
import { requireDatastorePrivilege } from '../server/datastore-path.ts';
import { Datastore } from './datastore.ts';

const MAX_FOLDERS = 10_000;

/** Lists files of datastores. */
export class HostDatastoreBrowser extends ManagedObject {
  readonly #host: Host;

  constructor(host: Host) {
    super('HostDatastoreBrowser', WELL_KNOWN.datastoreBrowser.value, host.changes);
    this.#host = host;
    host.objects.onEntitiesChanged(() => this.touch('datastore'));
  }

  protected readonly properties = {
    datastore: () => this.#host.objects.all(Datastore).map((datastore) => datastore.ref),
    supportedType: () => [],
  };

  readonly handlers: Handlers<HostDatastoreBrowser> = {
    SearchDatastore_Task: (self, { datastorePath, searchSpec }, call) => {
      requireDatastorePrivilege(this.#host, datastorePath, 'Datastore.Browse', call.userName);
      return this.#host.tasks.start('SearchDatastore_Task', self, call, async () =>
        this.#search(datastorePath, searchSpec),
      );
    },
    SearchDatastoreSubFolders_Task: (self, { datastorePath, searchSpec }, call) => {
      requireDatastorePrivilege(this.#host, datastorePath, 'Datastore.Browse', call.userName);
      return this.#host.tasks.start('SearchDatastoreSubFolders_Task', self, call, async () =>
        this.#searchBelow(datastorePath, searchSpec),
      );
    },
  };

  async #searchBelow(
    path: string,
    spec: HostDatastoreBrowserSearchSpec | undefined,
  ): Promise<(HostDatastoreBrowserSearchResults & { $type: string })[]> {
    const results: (HostDatastoreBrowserSearchResults & { $type: string })[] = [];
    const pending = [path];
    for (let folder = pending.shift(); folder !== undefined && results.length < MAX_FOLDERS; folder = pending.shift()) {
      results.push(await this.#search(folder, spec));
      const inside = folder;
      const folders = (await this.#list(folder)).filter((file) => file.kind === 'directory');
      pending.push(...folders.map((file) => join(inside, file.name)));
    }
    return results;
  }

  async #search(
    path: string,
    spec: HostDatastoreBrowserSearchSpec | undefined,
  ): Promise<HostDatastoreBrowserSearchResults & { $type: string }> {
    const matches = nameMatcher(spec);
    const files = (await this.#list(path)).filter((file) => matches(file.name) && kindMatches(file, spec));
    const sorted = files.toSorted((a, b) => rank(a, spec) - rank(b, spec) || (a.name < b.name ? -1 : 1));
    const datastore = this.#host.objects.all(Datastore).find((candidate) => path.startsWith(`[${candidate.name}]`));
    return {
      $type: 'HostDatastoreBrowserSearchResults',
      datastore: datastore?.ref as { type: 'Datastore'; value: string } | undefined,
      folderPath: path.endsWith('/') || path.endsWith(']') ? path : `${path}/`,
      file: sorted.map((file) => fileInfo(file, spec)),
    };
  }

  async #list(path: string): Promise<readonly DatastoreFile[]> {
    try {
      return await this.#host.datastores.list(path);
    } catch (error) {
      throw fileFault(error, path);
    }
  }
}

function rank(file: DatastoreFile, spec: HostDatastoreBrowserSearchSpec | undefined): number {
  return spec?.sortFoldersFirst === true && file.kind !== 'directory' ? 1 : 0;
}

function fileInfo(file: DatastoreFile, spec: HostDatastoreBrowserSearchSpec | undefined): FileInfo {
  const details = spec?.details;
  return {
    $type: typeOf(file),
    path: file.name,
    ...(details?.fileSize === false ? {} : { fileSize: file.sizeBytes }),
    ...(details?.modification === false ? {} : { modification: new Date(file.modifiedAtMs) }),
    ...(details?.fileOwner === true ? { owner: 'root' } : {}),
  } as FileInfo;
}

function typeOf(file: DatastoreFile): string {
  if (file.kind === 'directory') return 'FolderFileInfo';
  if (file.kind === 'disk') return 'VmDiskFileInfo';
  if (file.name.endsWith('.vmx')) return 'VmConfigFileInfo';
  if (file.name.endsWith('.iso')) return 'IsoImageFileInfo';
  if (file.name.endsWith('.log')) return 'VmLogFileInfo';
  return 'FileInfo';
}

/** Queries name kinds of files, such as `FolderFileQuery`. */
function kindMatches(file: DatastoreFile, spec: HostDatastoreBrowserSearchSpec | undefined): boolean {
  const queries = spec?.query ?? [];
  if (queries.length === 0) return true;
  const type = typeOf(file);
  return queries.some((query) => {
    const wanted = (query.$type ?? 'FileQuery').replace(/Query$/, 'Info');
    return wanted === 'FileInfo' || isDataSubtype(type, wanted);
  });
}

function nameMatcher(spec: HostDatastoreBrowserSearchSpec | undefined): (name: string) => boolean {
  const patterns = (spec?.matchPattern ?? []).map((pattern) =>
    globToRegExp(pattern, spec?.searchCaseInsensitive ?? true),
  );
  return (name) => patterns.length === 0 || patterns.some((pattern) => pattern.test(name));
}

/** `*` and `?` only; runs of `*` become one, so that matching stays linear enough. */
function globToRegExp(pattern: string, ignoreCase: boolean): RegExp {
  const source = pattern
    .slice(0, 255)
    .replaceAll(/\*+/g, '*')
    .split('')
    .map((char) => (char === '*' ? '[^/]*?' : char === '?' ? '[^/]' : RegExp.escape(char)))
    .join('');
  return new RegExp(`^${source}$`, ignoreCase ? 'i' : '');
}

function join(folder: string, name: string): string {
  if (folder.endsWith('/')) return `${folder}${name}`;
  return folder.endsWith(']') ? `${folder} ${name}` : `${folder}/${name}`;
}

import type { Host } from '../model/host.ts';
import { invalidArgument } from '../model/faults.ts';

/** A datastore path as given, or made from the URL of a file transfer (`https://host/folder/a/b?dcPath=…&dsName=…`). */
export function datastorePathOf(name: string): string {
  if (name.startsWith('[')) return name;
  const url = URL.canParse(name) ? new URL(name) : undefined;
  const match = /^\/folder\/(.*)$/.exec(url?.pathname ?? '');
  const datastore = url?.searchParams.get('dsName');
  if (match?.[1] === undefined || datastore === undefined || datastore === null) {
    throw invalidArgument('name', 'A file is named "[datastore] folder/file".');
  }
  return `[${datastore}] ${decodeURIComponent(match[1])}`;
}

/** Throws NoPermission unless the user has the privilege on the datastore of a path. */
export function requireDatastorePrivilege(host: Host, path: string, privilege: string, userName: string): void {
  const name = /^\[([^\]]*)\]/.exec(path)?.[1] ?? '';
  host.authorization.require(userName, privilege, host.objects.find({ type: 'Datastore', value: `datastore-${name}` }));
}

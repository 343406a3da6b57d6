import { VicError } from '@vic/errors';

/** A file on a datastore, written `[datastore] directory/file`. */
export interface DatastorePath {
  readonly datastore: string;
  /** Relative to the datastore's root; empty for the root itself. */
  readonly path: string;
}

/** Reads `[datastore] path`. */
export function parseDatastorePath(text: string): DatastorePath {
  const match = /^\[([^\]]+)\] ?(.*)$/s.exec(text);
  const [, datastore, path] = match ?? [];
  if (datastore === undefined || path === undefined) {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'VIM_DATASTORE_PATH_INVALID',
      message: `"${text.slice(0, 200)}" is not a datastore path.`,
      remedy: 'Write it as "[datastore] directory/file".',
    });
  }
  return { datastore, path: checkedPath(path) };
}

/** Writes `[datastore] path`. */
export function formatDatastorePath({ datastore, path }: DatastorePath): string {
  return `[${datastore}] ${checkedPath(path)}`.trimEnd();
}

/** The URL path and query that give access to a file. */
export function folderUrl(datacenterPath: string, { datastore, path }: DatastorePath): string {
  const query = new URLSearchParams({ dcPath: datacenterPath.replace(/^\/+/, ''), dsName: datastore });
  const segments = checkedPath(path).split('/').map(encodeURIComponent);
  // Servers take "+" in a query literally or as a space; "%20" is the same for all.
  return `/folder/${segments.join('/')}?${query.toString().replaceAll('+', '%20')}`;
}

function checkedPath(path: string): string {
  const segments = path.split('/');
  if (!path.startsWith('/') && !path.includes('\0') && !segments.includes('..') && !segments.includes('.')) return path;
  throw new VicError({
    class: 'InvalidArgument',
    code: 'VIM_DATASTORE_PATH_INVALID',
    message: `"${path.slice(0, 200)}" is not a path below a datastore's root.`,
  });
}

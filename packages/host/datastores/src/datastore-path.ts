import { VicError } from '@vic/errors';

/** A parsed datastore path: `[datastore1] folder/file.vmdk`. */
export interface DatastorePath {
  readonly datastore: string;
  /** Components below the datastore's root; empty for the root itself. */
  readonly components: readonly string[];
}

/** Linux's limit for one name, and a bound for the whole so that no path can exceed PATH_MAX. */
const MAX_COMPONENT_BYTES = 255;
const MAX_PATH_BYTES = 2048;

/** Our own folder in every datastore; not reachable through the API. */
export const STAGING_FOLDER = '.vic-staging';

/** Reads a datastore path. Anything that could lead outside, or that no file system takes, is `InvalidArgument`. */
export function parseDatastorePath(text: string): DatastorePath {
  if (Buffer.byteLength(text) > MAX_PATH_BYTES) throw invalid(text, 'it is too long');
  const match = /^\[([^[\]/]{1,80})\] ?(.*)$/s.exec(text);
  if (match === null) throw invalid(text, 'it must look like "[datastore1] folder/file"');
  const [, datastore = '', rest = ''] = match;
  const components = rest.split('/').filter((component) => component !== '' && component !== '.');
  for (const component of components) assertComponent(text, component);
  return { datastore, components };
}

/** The text of a datastore path. */
export function formatDatastorePath(path: DatastorePath): string {
  return `[${path.datastore}] ${path.components.join('/')}`.trimEnd();
}

function assertComponent(text: string, component: string): void {
  if (component === '..') throw invalid(text, 'it must not contain ".."');
  if (component === STAGING_FOLDER) throw invalid(text, 'it names a folder of the host');
  if (/[\p{Cc}\\]/u.test(component)) throw invalid(text, 'it contains a control character or a backslash');
  if (!component.isWellFormed() || Buffer.byteLength(component) > MAX_COMPONENT_BYTES) {
    throw invalid(text, `a name in it is longer than ${MAX_COMPONENT_BYTES} bytes or no text`);
  }
}

function invalid(text: string, reason: string): VicError {
  const shown = JSON.stringify(text.slice(0, 120).toWellFormed());
  return new VicError({
    class: 'InvalidArgument',
    code: 'DATASTORE_PATH_INVALID',
    message: `The datastore path ${shown} is not valid: ${reason}.`,
  });
}

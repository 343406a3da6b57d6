export { VimClient } from './vim-client.ts';
export type { TaskMethodName, TaskResult, VimCaller, VimClientOptions } from './vim-client.ts';
export type { CallOptions, ConnectionOptions } from './connection.ts';
export {
  containerView,
  filterForObjects,
  filterForView,
  list,
  properties,
  retrieve,
  retrieveProperties,
} from './property-collector.ts';
export type { ObjectProperties, PathValue, PropertyMap } from './property-collector.ts';
export { watch } from './watch.ts';
export type { ObjectChange, WatchOptions } from './watch.ts';
export { waitForTask } from './wait-for-task.ts';
export type { TaskOptions } from './wait-for-task.ts';
export { findByPath, inventoryPath, requireByPath } from './finder.ts';
export { DatastoreFiles } from './datastore-files.ts';
export type { DatastoreEntry, DatastoreFileInfo } from './datastore-files.ts';
export { formatDatastorePath, parseDatastorePath } from './datastore-path.ts';
export type { DatastorePath } from './datastore-path.ts';
export { probeThumbprint } from './probe-thumbprint.ts';
export type { CertificateThumbprints } from './probe-thumbprint.ts';
export { isTransientFault, retryTransientFaults } from './retry-faults.ts';

export { Datastores } from './datastores.ts';
export type { DatastoreRoot } from './datastore-roots.ts';

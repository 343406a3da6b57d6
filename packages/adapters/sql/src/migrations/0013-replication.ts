import type { Migration } from './migration.ts';

/** The tables of `replication`. */
export const replication: Migration = {
  name: '0013-replication',
  up: async () => undefined,
};

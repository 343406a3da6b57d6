import type { Migration } from './migration.ts';

/** The tables of `jobs`. */
export const jobs: Migration = {
  name: '0004-jobs',
  up: async () => undefined,
};

import type { Migration } from './migration.ts';

/** The tables of `gc`. */
export const gc: Migration = {
  name: '0010-gc',
  up: async () => undefined,
};

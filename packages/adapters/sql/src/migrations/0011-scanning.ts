import type { Migration } from './migration.ts';

/** The tables of `scanning`. */
export const scanning: Migration = {
  name: '0011-scanning',
  up: async () => undefined,
};

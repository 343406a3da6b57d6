import type { Migration } from './migration.ts';

/** The tables of `audit`. */
export const audit: Migration = {
  name: '0005-audit',
  up: async () => undefined,
};

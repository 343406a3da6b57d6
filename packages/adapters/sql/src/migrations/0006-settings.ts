import type { Migration } from './migration.ts';

/** The tables of `settings`. */
export const settings: Migration = {
  name: '0006-settings',
  up: async () => undefined,
};

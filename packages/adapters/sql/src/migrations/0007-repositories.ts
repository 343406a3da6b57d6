import type { Migration } from './migration.ts';

/** The tables of `repositories`. */
export const repositories: Migration = {
  name: '0007-repositories',
  up: async () => undefined,
};

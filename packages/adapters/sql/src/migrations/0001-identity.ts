import type { Migration } from './migration.ts';

/** The tables of `identity`. */
export const identity: Migration = {
  name: '0001-identity',
  up: async () => undefined,
};

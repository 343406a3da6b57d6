import type { Migration } from './migration.ts';

/** The tables of `policies`. */
export const policies: Migration = {
  name: '0009-policies',
  up: async () => undefined,
};

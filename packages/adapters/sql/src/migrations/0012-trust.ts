import type { Migration } from './migration.ts';

/** The tables of `trust`. */
export const trust: Migration = {
  name: '0012-trust',
  up: async () => undefined,
};

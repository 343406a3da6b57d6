import type { Migration } from './migration.ts';

/** The tables of `tokens`. */
export const tokens: Migration = {
  name: '0015-tokens',
  up: async () => undefined,
};

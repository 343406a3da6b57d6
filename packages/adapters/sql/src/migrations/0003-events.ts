import type { Migration } from './migration.ts';

/** The tables of `events`. */
export const events: Migration = {
  name: '0003-events',
  up: async () => undefined,
};

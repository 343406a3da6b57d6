import type { Migration } from './migration.ts';

/** The tables of `labels`. */
export const labels: Migration = {
  name: '0008-labels',
  up: async () => undefined,
};

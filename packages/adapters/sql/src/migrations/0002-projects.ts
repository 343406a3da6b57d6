import type { Migration } from './migration.ts';

/** The tables of `projects`. */
export const projects: Migration = {
  name: '0002-projects',
  up: async () => undefined,
};

import type { Migration } from './migration.ts';

/** The tables of `webhooks`. */
export const webhooks: Migration = {
  name: '0014-webhooks',
  up: async () => undefined,
};

import { defineCommand } from '@vic/cli';
import { appliedMigrations } from '@vic/sql';
import { INSTALLATION_OPTIONS, onInstallation } from './installation.ts';

/** `registry migrate`. */
export const migrate = defineCommand({
  name: 'migrate',
  summary: 'Bring the database to the schema of this version, as starting the server does',
  options: INSTALLATION_OPTIONS,
  run: async (options, context) =>
    onInstallation(options, context, async ({ storage }) => {
      const names = await appliedMigrations(storage.database);
      context.result(
        { dialect: storage.database.dialect, migrations: names },
        `The ${storage.database.dialect} database is up to date: ${names.length} migrations, the last one ${names.at(-1)}.`,
      );
    }),
});

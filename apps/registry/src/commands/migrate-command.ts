import { defineCommand } from '@vic/cli';
import { sql } from '@vic/sql';
import { INSTALLATION_OPTIONS, onInstallation } from './installation.ts';

/** `registry migrate`. */
export const migrate = defineCommand({
  name: 'migrate',
  summary: 'Bring the database to the schema of this version, as starting the server does',
  options: INSTALLATION_OPTIONS,
  run: async (options, context) =>
    onInstallation(options, context, async ({ storage }) => {
      const { rows } = await sql<{ name: string }>`select name from schema_migration order by name`.execute(
        storage.database.db,
      );
      const names = rows.map(({ name }) => name);
      context.result(
        { dialect: storage.database.dialect, migrations: names },
        `The ${storage.database.dialect} database is up to date: ${names.length} migrations, the last one ${names.at(-1)}.`,
      );
    }),
});

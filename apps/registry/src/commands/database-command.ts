import { copyFile, mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { defineCommand } from '@vic/cli';
import { VicError } from '@vic/errors';
import { type CopiedTable, copyDatabase, openDatabase, openDatabaseAsItIs } from '@vic/sql';
import type { RegistryConfiguration } from '../configuration.ts';
import { databaseLocation } from '../storage.ts';
import { configurationOf } from './configuration-of.ts';
import { requireInstallation } from './installation.ts';
import { requireStopped } from './running-processes.ts';

/** `registry database migrate`. */
export const migrateDatabase = defineCommand({
  name: 'database migrate',
  summary: 'Copy the database of a stopped registry into another: from SQLite to PostgreSQL, or back',
  options: {
    from: {
      kind: 'text',
      placeholder: 'file|directory',
      description: 'Configuration file or data directory; stays as it is',
    },
    to: { kind: 'text', placeholder: 'file|directory', description: 'The same, with an empty database' },
  },
  examples: ['registry database migrate --from /var/lib/vic/registry --to /etc/vic/registry.yaml'],
  run: async (options, context) => {
    const [from, to] = await Promise.all([configurationAt('from', options.from), configurationAt('to', options.to)]);
    await requireInstallation(from);
    const locations = { from: await databaseLocation(from), to: await databaseLocation(to) };
    if (isDeepStrictEqual(locations.from, locations.to)) throw sameDatabase();
    await shareKey(from, to);
    await using source = await openDatabaseAsItIs(locations.from);
    await requireStopped(source);
    await using target = await openDatabase(locations.to);
    const tables = await copyDatabase(
      { from: source, to: target },
      {
        signal: context.signal,
        permit: async () => requireStopped(source),
        onTable: ({ name, rows }) => context.say(`${name}: ${rows}`),
      },
    );
    context.result({ from: source.dialect, to: target.dialect, tables }, describe(tables, { from, to }));
  },
});

/** What an option names: a file is a configuration, anything else a data directory. */
async function configurationAt(option: string, path: string | undefined): Promise<RegistryConfiguration> {
  if (path === undefined) {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'REGISTRY_DATABASE_UNNAMED',
      message: `--${option} is missing.`,
      remedy: 'Both --from and --to take a configuration file or a data directory.',
    });
  }
  const found = await stat(path).catch(() => undefined);
  return configurationOf(
    found?.isFile() === true ? { config: path, data: undefined } : { config: undefined, data: path },
  );
}

/** Without the key that sealed them, the secrets in the database could not be read. */
async function shareKey(from: RegistryConfiguration, to: RegistryConfiguration): Promise<void> {
  const [source, target] = [from, to].map(({ dataDirectory }) => join(dataDirectory, 'secret.key'));
  if (source === undefined || target === undefined || source === target) return;
  const there = await readFile(target).catch(() => undefined);
  if (there === undefined) {
    await mkdir(to.dataDirectory, { recursive: true, mode: 0o700 });
    await copyFile(source, target);
    return;
  }
  if (there.equals(await readFile(source))) return;
  throw new VicError({
    class: 'FailedPrecondition',
    code: 'REGISTRY_OTHER_KEY',
    message: `${target} is not the key that the secrets in the source are encrypted with.`,
    remedy: 'Move it away when no registry needs it; the key of the source is copied there.',
  });
}

function describe(
  tables: readonly CopiedTable[],
  { from, to }: { readonly from: RegistryConfiguration; readonly to: RegistryConfiguration },
): string {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const lines = [`Copied and compared ${rows} rows of ${tables.length} tables.`];
  if (!isDeepStrictEqual(blobsOf(from), blobsOf(to))) {
    lines.push('The blobs were not copied: bring them to where the target configuration has them.');
  }
  return [...lines, 'Start the registry on the target only; what is pushed to the source is not there.'].join('\n');
}

function blobsOf({ s3, dataDirectory }: RegistryConfiguration): unknown {
  return s3 ?? dataDirectory;
}

function sameDatabase(): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'REGISTRY_SAME_DATABASE',
    message: '--from and --to name the same database.',
    remedy: 'Name a configuration with "database" for PostgreSQL, or without it for SQLite.',
  });
}

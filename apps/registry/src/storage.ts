import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type BlobStore, openFsBlobStore } from '@vic/blob';
import type { Logger } from '@vic/log';
import { SecretBox } from '@vic/secrets';
import { type Database, type DatabaseLocation, openDatabase } from '@vic/sql';
import { type RegistryConfiguration, databaseFile, readSecretFile } from './configuration.ts';

/** Where everything is kept. */
export interface Storage extends AsyncDisposable {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly secrets: SecretBox;
  /** `filesystem` or `s3`, for `/systeminfo`. */
  readonly provider: string;
}

/** Opens database, blob store and key of an installation, making what is not there. */
export async function openStorage(configuration: RegistryConfiguration, logger: Logger): Promise<Storage> {
  await using resources = new AsyncDisposableStack();
  const { dataDirectory } = configuration;
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  const secrets = await SecretBox.open(join(dataDirectory, 'secret.key'));
  const database = resources.use(await openDatabase(await databaseLocation(configuration)));
  const blobs = await openFsBlobStore({
    directory: join(dataDirectory, 'blobs'),
    onDamage: (damage) => logger.error('A damaged blob was not served', { damage }),
  });
  const opened = resources.move();
  return {
    database,
    blobs,
    secrets,
    provider: 'filesystem',
    [Symbol.asyncDispose]: async () => opened.disposeAsync(),
  };
}

async function databaseLocation(configuration: RegistryConfiguration): Promise<DatabaseLocation> {
  const { database } = configuration;
  if (database === undefined) return { kind: 'sqlite', path: databaseFile(configuration) };
  return {
    kind: 'postgres',
    url: database.url,
    ...(database.passwordFile === undefined ? {} : { password: await readSecretFile(database.passwordFile) }),
    ...(database.poolSize === undefined ? {} : { poolSize: database.poolSize }),
  };
}

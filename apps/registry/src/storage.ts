import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type BlobStore, type DamageListener, openFsBlobStore, openS3BlobStore } from '@vic/blob';
import { recordDamage } from '@vic/gc';
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
  const { dataDirectory } = configuration;
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  await mkdir(join(dataDirectory, 'spool'), { recursive: true, mode: 0o700 });
  const secrets = await SecretBox.open(join(dataDirectory, 'secret.key'));
  await using resources = new AsyncDisposableStack();
  const database = resources.use(await openDatabase(await databaseLocation(configuration)));
  const blobs = await openBlobs(configuration, recordDamage({ database, logger }));
  const opened = resources.move();
  return {
    database,
    blobs,
    secrets,
    provider: configuration.s3 === undefined ? 'filesystem' : 's3',
    [Symbol.asyncDispose]: async () => opened.disposeAsync(),
  };
}

/** Opens the blob store of an installation. */
export async function openBlobs(configuration: RegistryConfiguration, onDamage: DamageListener): Promise<BlobStore> {
  const { s3, dataDirectory } = configuration;
  if (s3 === undefined) return openFsBlobStore({ directory: join(dataDirectory, 'blobs'), onDamage });
  const { accessKeyId, secretAccessKeyFile, ...location } = s3;
  if (accessKeyId === undefined || secretAccessKeyFile === undefined) return openS3BlobStore({ ...location, onDamage });
  const credentials = { accessKeyId, secretAccessKey: await readSecretFile(secretAccessKeyFile) };
  return openS3BlobStore({ ...location, credentials, onDamage });
}

/** Where the database of an installation is. */
export async function databaseLocation(configuration: RegistryConfiguration): Promise<DatabaseLocation> {
  const { database } = configuration;
  if (database === undefined) return { kind: 'sqlite', path: databaseFile(configuration) };
  return {
    kind: 'postgres',
    url: database.url,
    ...(database.passwordFile === undefined ? {} : { password: await readSecretFile(database.passwordFile) }),
    ...(database.poolSize === undefined ? {} : { poolSize: database.poolSize }),
  };
}

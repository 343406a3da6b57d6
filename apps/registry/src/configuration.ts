import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { readConfiguration } from '@vic/config';
import { VicError } from '@vic/errors';
import { type Static, Type } from 'typebox';

const closed = { additionalProperties: false } as const;
const text = Type.String({ minLength: 1 });
const port = Type.Integer({ minimum: 0, maximum: 65_535 });

const schema = Type.Object(
  {
    /** Where clients reach the registry; scheme and host of the token service follow it. */
    externalUrl: Type.String({ pattern: '^https?://[^/]+$' }),
    /** Everything the registry keeps on this machine: database and blobs unless they are elsewhere, keys, certificates. */
    dataDirectory: text,
    listen: Type.Object(
      { host: Type.String({ default: '0.0.0.0' }), port: Type.Integer({ ...port, default: 443 }) },
      { ...closed, default: {} },
    ),
    /** PEM files; without them an authority of the registry's own issues a certificate. `none` serves plain HTTP. */
    tls: Type.Optional(
      Type.Union([Type.Literal('none'), Type.Object({ certificateFile: text, privateKeyFile: text }, closed)]),
    ),
    /** Names and addresses the registry's own certificate is for, besides that of `externalUrl`. */
    hosts: Type.Array(text, { default: [] }),
    /** SQLite in `dataDirectory` unless a PostgreSQL is named here. */
    database: Type.Optional(
      Type.Object(
        {
          url: Type.String({ pattern: '^postgres(ql)?://' }),
          passwordFile: Type.Optional(text),
          poolSize: Type.Optional(Type.Integer({ minimum: 2, maximum: 200 })),
        },
        closed,
      ),
    ),
    /** Files in `dataDirectory` unless an S3 bucket is named here. */
    s3: Type.Optional(
      Type.Object(
        {
          bucket: text,
          region: Type.String({ default: 'us-east-1' }),
          /** Of an S3-compatible server; AWS when absent. */
          endpoint: Type.Optional(Type.String({ pattern: '^https?://' })),
          prefix: Type.String({ default: '' }),
          accessKeyId: Type.Optional(text),
          secretAccessKeyFile: Type.Optional(text),
        },
        closed,
      ),
    ),
    /** Notary v1 for clients with `DOCKER_CONTENT_TRUST`; port 0 chooses one, absent means that it is not served. */
    notary: Type.Optional(Type.Object({ port }, closed)),
    /** Addresses and networks of the proxies whose word is taken for who the client is. */
    trustedProxies: Type.Array(text, { default: [] }),
    /** Addresses and networks that webhooks may be sent to although they are closed by default (loopback, link-local). */
    webhookAddresses: Type.Array(text, { default: [] }),
    /** Settings that this file decides and nobody may change at run time; names as in `GET /configurations`. */
    settings: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]), { default: {} }),
    logLevel: Type.Enum(['debug', 'info', 'warn', 'error'], { default: 'info' }),
  },
  closed,
);

/** The registry's configuration file. See docs/reference/registry.md. */
export type RegistryConfiguration = Readonly<Static<typeof schema>>;

/** Reads and checks a configuration file; paths in it are relative to it. */
export async function readRegistryConfiguration(path: string): Promise<RegistryConfiguration> {
  const configuration = await readConfiguration(schema, path);
  const base = dirname(resolve(path));
  const absolute = (name: string): string => resolve(base, name);
  const { tls, database, s3 } = configuration;
  return {
    ...configuration,
    dataDirectory: absolute(configuration.dataDirectory),
    ...(typeof tls === 'object'
      ? { tls: { certificateFile: absolute(tls.certificateFile), privateKeyFile: absolute(tls.privateKeyFile) } }
      : {}),
    ...(database?.passwordFile === undefined
      ? {}
      : { database: { ...database, passwordFile: absolute(database.passwordFile) } }),
    ...(s3?.secretAccessKeyFile === undefined
      ? {}
      : { s3: { ...s3, secretAccessKeyFile: absolute(s3.secretAccessKeyFile) } }),
  };
}

/** The configuration of `registry serve --data DIRECTORY`, without a file. */
export function defaultConfiguration(
  directory: string,
  options: {
    readonly externalUrl: string;
    readonly host: string;
    readonly port: number;
    readonly notaryPort: number | undefined;
    readonly trustedProxies?: readonly string[];
  },
): RegistryConfiguration {
  return {
    externalUrl: options.externalUrl,
    dataDirectory: resolve(directory),
    listen: { host: options.host, port: options.port },
    hosts: [],
    trustedProxies: [...(options.trustedProxies ?? [])],
    webhookAddresses: [],
    settings: {},
    logLevel: 'info',
    ...(options.notaryPort === undefined ? {} : { notary: { port: options.notaryPort } }),
  };
}

/** The content of a file that holds one secret, without its last newline. */
export async function readSecretFile(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).replace(/\r?\n$/, '');
  } catch (cause) {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'REGISTRY_SECRET_FILE',
      message: `The secret file ${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`,
      remedy: 'Put the secret into it, readable for the user the registry runs as.',
      cause,
    });
  }
}

/** Where the database file is when no server is configured. */
export function databaseFile(configuration: RegistryConfiguration): string {
  return join(configuration.dataDirectory, 'registry.db');
}

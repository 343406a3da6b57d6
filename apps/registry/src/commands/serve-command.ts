import { once } from 'node:events';
import { type CommandContext, defineCommand } from '@vic/cli';
import { createLogger } from '@vic/log';
import { VicError } from '@vic/errors';
import { type RegistryConfiguration, defaultConfiguration, readRegistryConfiguration } from '../configuration.ts';
import { type RunningRegistry, startRegistry } from '../serve.ts';

const DEFAULT_PORT = 5443;
const DEFAULT_NOTARY_PORT = 4443;

/** Options that say which installation a command is about. */
export const INSTALLATION_OPTIONS = {
  config: { kind: 'text', placeholder: 'file', description: 'Configuration file; see docs/reference/registry.md' },
  data: {
    kind: 'text',
    placeholder: 'directory',
    description: 'Where everything is kept, instead of a configuration file',
  },
} as const;

/** `registry serve`. */
export const serve = defineCommand({
  name: 'serve',
  summary: 'Serve the registry until interrupted',
  options: {
    ...INSTALLATION_OPTIONS,
    url: { kind: 'text', description: 'Where clients reach it', defaultText: 'https://localhost:PORT' },
    listen: { kind: 'text', placeholder: 'address', description: 'Address to listen on', defaultText: '0.0.0.0' },
    port: { kind: 'number', description: 'Port to listen on', defaultText: String(DEFAULT_PORT) },
    'notary-port': { kind: 'number', description: 'Port of the notary', defaultText: String(DEFAULT_NOTARY_PORT) },
    'no-notary': { kind: 'flag', description: 'Serve no notary' },
    log: { kind: 'text', placeholder: 'file', description: 'File to log to', defaultText: 'standard error' },
  },
  examples: ['registry serve --data /var/lib/vic/registry --url https://registry.example.com:5443'],
  run: async (options, context) => {
    const configuration = await configurationOf(options);
    const logger = createLogger({
      name: 'registry',
      level: configuration.logLevel,
      file: options.log ?? '/dev/stderr',
    });
    await using registry = await startRegistry(configuration, logger);
    tellStarted(configuration, registry, context);
    if (!context.signal.aborted) await once(context.signal, 'abort');
    logger.info('stopping');
  },
});

/** The configuration that a command's options name. */
export async function configurationOf(options: {
  readonly config: string | undefined;
  readonly data: string | undefined;
  readonly url?: string | undefined;
  readonly listen?: string | undefined;
  readonly port?: number | undefined;
  readonly 'notary-port'?: number | undefined;
  readonly 'no-notary'?: boolean;
}): Promise<RegistryConfiguration> {
  if ((options.config === undefined) === (options.data === undefined)) {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'REGISTRY_INSTALLATION_UNNAMED',
      message: 'Which registry is meant: give either --config or --data.',
      remedy: 'For a first try: registry serve --data ./registry-data',
    });
  }
  if (options.config !== undefined) return readRegistryConfiguration(options.config);
  const port = options.port ?? DEFAULT_PORT;
  return defaultConfiguration(options.data ?? '', {
    externalUrl: options.url ?? `https://localhost:${port}`,
    host: options.listen ?? '0.0.0.0',
    port,
    notaryPort: options['no-notary'] === true ? undefined : (options['notary-port'] ?? DEFAULT_NOTARY_PORT),
  });
}

function tellStarted(
  { externalUrl, dataDirectory }: RegistryConfiguration,
  { administrator, authority }: RunningRegistry,
  { say }: CommandContext,
): void {
  const { host } = new URL(externalUrl);
  say(`The registry serves ${externalUrl}.`);
  if (administrator !== undefined) {
    say(`Administrator: ${administrator.name}, password ${administrator.password} (shown only this once)`);
  }
  if (authority !== undefined) {
    say(`Clients have to trust its authority, ${dataDirectory}/tls/ca.crt; for docker:`);
    say(`  mkdir -p /etc/docker/certs.d/${host} && cp ${dataDirectory}/tls/ca.crt /etc/docker/certs.d/${host}/`);
  }
  say(`Then: docker login ${host}`);
}

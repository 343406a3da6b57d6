import { once } from 'node:events';
import { access, constants } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type CommandContext, defineCommand } from '@vic/cli';
import { VicError, describeError } from '@vic/errors';
import { replaceFile } from '@vic/files';
import { createLogger } from '@vic/log';
import type { RegistryConfiguration } from '../configuration.ts';
import { type RunningRegistry, startRegistry } from '../serve.ts';
import { VERSION } from '../version.ts';
import { DEFAULT_NOTARY_PORT, DEFAULT_PORT, configurationOf } from './configuration-of.ts';
import { INSTALLATION_OPTIONS } from './installation.ts';

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
    'trusted-proxy': {
      kind: 'list',
      placeholder: 'address|network',
      description: 'Proxy whose X-Forwarded-* and Forwarded headers are believed',
    },
    'password-file': {
      kind: 'text',
      placeholder: 'file',
      description: "Where to write a new administrator's password instead of printing it",
    },
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
    const passwordFile = options['password-file'];
    if (passwordFile !== undefined) await requireWritable(passwordFile);
    await using resources = new AsyncDisposableStack();
    resources.defer(() => logger.info('stopped'));
    const registry = resources.use(await startRegistry(configuration, logger));
    logger.info('serving', { version: VERSION, url: configuration.externalUrl, listen: configuration.listen });
    if (passwordFile !== undefined && registry.administrator !== undefined) {
      await replaceFile(passwordFile, `${registry.administrator.password}\n`, { mode: 0o600, durable: true });
    }
    tellStarted(configuration, registry, { say: (line) => context.say(line), passwordFile });
    if (!context.signal.aborted) await once(context.signal, 'abort');
    logger.info('stopping', { reason: describeError(context.signal.reason) });
  },
});

/** Asked before there is a password that could be lost. */
async function requireWritable(path: string): Promise<void> {
  await access(dirname(resolve(path)), constants.W_OK).catch((cause: Error) => {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'REGISTRY_PASSWORD_FILE',
      message: `The password file ${path} cannot be written: ${cause.message}.`,
      remedy: 'Make its directory first.',
      cause,
    });
  });
}

function tellStarted(
  { externalUrl, dataDirectory }: RegistryConfiguration,
  { administrator, authority }: RunningRegistry,
  { say, passwordFile }: Pick<CommandContext, 'say'> & { readonly passwordFile: string | undefined },
): void {
  const { host } = new URL(externalUrl);
  say(`The registry serves ${externalUrl}.`);
  if (administrator !== undefined) {
    const where =
      passwordFile === undefined ? `${administrator.password} (shown only this once)` : `in ${passwordFile}`;
    say(`Administrator: ${administrator.name}, password ${where}`);
  }
  if (authority !== undefined) {
    say(`Clients have to trust its authority, ${dataDirectory}/tls/ca.crt; for docker:`);
    say(`  mkdir -p /etc/docker/certs.d/${host} && cp ${dataDirectory}/tls/ca.crt /etc/docker/certs.d/${host}/`);
  }
  say(`Then: docker login ${host}`);
}

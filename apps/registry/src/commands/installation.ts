import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandContext } from '@vic/cli';
import { VicError } from '@vic/errors';
import { createLogger } from '@vic/log';
import { composeParts, type Parts } from '../compose/parts.ts';
import type { RegistryConfiguration } from '../configuration.ts';
import { openStorage, type Storage } from '../storage.ts';
import { configurationOf } from './configuration-of.ts';

/** Options that say which installation a command is about. */
export const INSTALLATION_OPTIONS = {
  config: { kind: 'text', placeholder: 'file', description: 'Configuration file; see docs/reference/registry.md' },
  data: {
    kind: 'text',
    placeholder: 'directory',
    description: 'Where everything is kept, instead of a configuration file',
  },
} as const;

/** An installation opened by a command, beside the server or without one. */
export interface Installation {
  readonly storage: Storage;
  readonly parts: Parts;
}

/** Runs a command's work on the installation its options name. */
export async function onInstallation(
  options: { readonly config: string | undefined; readonly data: string | undefined },
  _context: CommandContext,
  work: (installation: Installation) => Promise<void>,
): Promise<void> {
  const configuration = await configurationOf(options);
  await requireInstallation(configuration);
  const logger = createLogger({ name: 'registry', level: 'warn', file: '/dev/stderr' });
  await using storage = await openStorage(configuration, logger);
  await using parts = composeParts(configuration, storage, { logger, hasAuthority: false });
  await work({ storage, parts });
}

/** A mistyped directory must not become a new, empty registry. */
export async function requireInstallation(configuration: RegistryConfiguration): Promise<void> {
  const key = join(configuration.dataDirectory, 'secret.key');
  await access(key).catch((cause: Error) => {
    throw new VicError({
      class: 'NotFound',
      code: 'REGISTRY_NOT_THERE',
      message: `There is no registry in ${configuration.dataDirectory}.`,
      remedy: 'Name the directory that "registry serve" keeps its data in.',
      cause,
    });
  });
}

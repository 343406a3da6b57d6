import { resolve } from 'node:path';
import { defineCommand } from '@vic/cli';
import { VicError } from '@vic/errors';
import { createLogger } from '@vic/log';
import { findBackup } from '../backup/backup-manifest.ts';
import { restoreBackup } from '../backup/restore-backup.ts';
import { type BackupReport, takeBackup } from '../backup/take-backup.ts';
import { configurationOf } from './configuration-of.ts';
import { INSTALLATION_OPTIONS, requireInstallation } from './installation.ts';

/** `registry backup`. */
export const backup = defineCommand({
  name: 'backup',
  summary: 'Back up database, blobs, keys, certificates and configuration, while the registry serves or not',
  options: {
    ...INSTALLATION_OPTIONS,
    to: {
      kind: 'text',
      placeholder: 'directory',
      description: 'Directory of backups, whose blobs are kept once for all of them',
    },
  },
  examples: ['registry backup --data /var/lib/vic/registry --to /srv/backup/registry'],
  run: async (options, context) => {
    const to = required('to', options.to);
    const configuration = await configurationOf(options);
    await requireInstallation(configuration);
    const logger = createLogger({ name: 'registry', level: 'warn', file: '/dev/stderr' });
    const source = { configuration, configurationFile: options.config };
    const report = await takeBackup(source, to, { logger, signal: context.signal });
    const { directory, blobs } = report;
    context.result({ directory, ...blobs }, describe(report));
    if (blobs.missing.length > 0) throw incomplete(report);
  },
});

/** `registry restore`. */
export const restore = defineCommand({
  name: 'restore',
  summary: 'Make a registry of a backup, in an empty data directory and database',
  options: {
    ...INSTALLATION_OPTIONS,
    from: {
      kind: 'text',
      placeholder: 'directory',
      description: 'Directory of backups, for the latest, or one of them',
    },
  },
  examples: ['registry restore --from /srv/backup/registry --data /var/lib/vic/registry'],
  run: async (options, context) => {
    const found = await findBackup(resolve(required('from', options.from)));
    const configuration = await configurationOf(options);
    const { count, sizeBytes, missing } = await restoreBackup(found, configuration, context.signal);
    const { directory, manifest } = found;
    context.result(
      { directory, createdAt: manifest.createdAt, version: manifest.version, count, sizeBytes, missing },
      [
        `Restored ${directory}, made at ${manifest.createdAt}: ${count} blobs, ${sizeBytes} bytes.`,
        ...missing.map((digest) => `${digest} was missing when the backup was made.`),
      ].join('\n'),
    );
  },
});

function describe({ directory, blobs }: BackupReport): string {
  const { count, sizeBytes, copied, missing } = blobs;
  return [
    `Backed up to ${directory}: ${count} blobs, ${sizeBytes} bytes; ${copied} of them were not there yet.`,
    ...missing.map((digest) => `${digest} is missing or damaged.`),
  ].join('\n');
}

/** The backup is there and can be restored; what it lacks, the registry lacks too. */
function incomplete({ directory, blobs }: BackupReport): VicError {
  return new VicError({
    class: 'DataLoss',
    code: 'REGISTRY_BACKUP_INCOMPLETE',
    message: `${directory} lacks ${blobs.missing.length} blobs that the registry itself has not, or not whole.`,
    remedy: 'Keep an older backup. "registry scrub" says which images need them; push those again.',
  });
}

function required(option: string, value: string | undefined): string {
  if (value !== undefined) return value;
  throw new VicError({
    class: 'InvalidArgument',
    code: 'REGISTRY_BACKUP_UNNAMED',
    message: `--${option} is missing: the directory of backups.`,
  });
}

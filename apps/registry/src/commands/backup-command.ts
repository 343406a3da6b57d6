import { resolve } from 'node:path';
import { defineCommand } from '@vic/cli';
import { VicError } from '@vic/errors';
import { createLogger } from '@vic/log';
import { archiveBackup, isArchive, withBackup } from '../backup/backup-archive.ts';
import { checkBackup } from '../backup/check-backup.ts';
import { restoreBackup } from '../backup/restore-backup.ts';
import { type BackupReport, takeBackup } from '../backup/take-backup.ts';
import { configurationOf } from './configuration-of.ts';
import { INSTALLATION_OPTIONS, requireInstallation } from './installation.ts';

const FROM = {
  kind: 'text',
  placeholder: 'directory|file',
  description: 'Directory of backups, for the latest, one of them, or a .tar file',
} as const;

/** `registry backup`. */
export const backup = defineCommand({
  name: 'backup',
  summary: 'Back up database, blobs, keys, certificates and configuration, while the registry serves or not',
  options: {
    ...INSTALLATION_OPTIONS,
    to: {
      kind: 'text',
      placeholder: 'directory|file',
      description: 'Directory of backups, whose blobs are kept once for all of them; or one new .tar file',
    },
    keep: {
      kind: 'number',
      placeholder: 'count',
      description: 'Remove older backups, and the blobs that no other needs',
      defaultText: 'all are kept',
    },
  },
  examples: ['registry backup --data /var/lib/vic/registry --to /srv/backup/registry --keep 14'],
  run: async (options, context) => {
    const to = required('to', options.to);
    const configuration = await configurationOf(options);
    await requireInstallation(configuration);
    const logger = createLogger({ name: 'registry', level: 'warn', file: '/dev/stderr' });
    const { keep } = options;
    if (keep !== undefined && keep < 1) throw keepsNothing(keep);
    if (keep !== undefined && isArchive(to)) throw keepsOne();
    const source = { configuration, configurationFile: options.config };
    const { signal } = context;
    const take = async (directory: string): Promise<BackupReport> =>
      takeBackup(source, directory, { logger, signal, ...(keep === undefined ? {} : { keep }) });
    const report = isArchive(to) ? await archiveBackup(resolve(to), signal, take) : await take(to);
    const { directory, blobs, removed } = report;
    context.result({ directory, ...blobs, removed }, describe(report));
    if (blobs.missing.length > 0) throw incomplete(report);
  },
});

/** `registry backup verify`. */
export const verifyBackup = defineCommand({
  name: 'backup verify',
  summary: 'Compare everything in a backup with its digest; what is damaged is copied again by the next backup',
  options: { from: FROM },
  examples: ['registry backup verify --from /srv/backup/registry'],
  run: async (options, context) => {
    const from = resolve(required('from', options.from));
    const { signal } = context;
    await withBackup(from, { scratch: `${from}.reading-`, signal }, async (found) => {
      const { count, sizeBytes } = await checkBackup(found, signal);
      const { createdAt, version } = found.manifest;
      const directory = isArchive(from) ? from : found.directory;
      context.result(
        { directory, createdAt, version, count, sizeBytes },
        `${directory}, made at ${createdAt}, is whole: ${count} blobs, ${sizeBytes} bytes.`,
      );
    });
  },
});

/** `registry restore`. */
export const restore = defineCommand({
  name: 'restore',
  summary: 'Make a registry of a backup, in an empty data directory and database',
  options: {
    ...INSTALLATION_OPTIONS,
    from: FROM,
  },
  examples: ['registry restore --from /srv/backup/registry --data /var/lib/vic/registry'],
  run: async (options, context) => {
    const from = resolve(required('from', options.from));
    const configuration = await configurationOf(options);
    const { signal } = context;
    const scratch = `${configuration.dataDirectory}.restoring-`;
    await withBackup(from, { scratch, signal }, async (found) => {
      const { count, sizeBytes, missing } = await restoreBackup(found, configuration, signal);
      const { createdAt, version } = found.manifest;
      const directory = isArchive(from) ? from : found.directory;
      context.result(
        { directory, createdAt, version, count, sizeBytes, missing },
        [
          `Restored ${directory}, made at ${createdAt}: ${count} blobs, ${sizeBytes} bytes.`,
          ...missing.map((digest) => `${digest} was missing when the backup was made.`),
        ].join('\n'),
      );
    });
  },
});

function keepsOne(): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'REGISTRY_BACKUP_KEEP',
    message: '--keep is for a directory of backups; a file holds one.',
    remedy: 'Leave --keep out, or name a directory.',
  });
}

function keepsNothing(keep: number): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'REGISTRY_BACKUP_KEEP',
    message: `--keep ${keep} would keep nothing.`,
    remedy: 'Give how many backups are to remain, the new one included.',
  });
}

function describe({ directory, blobs, removed }: BackupReport): string {
  const { count, sizeBytes, copied, missing } = blobs;
  return [
    `Backed up to ${directory}: ${count} blobs, ${sizeBytes} bytes; ${copied} of them were not there yet.`,
    ...missing.map((digest) => `${digest} is missing or damaged.`),
    ...removed.map((name) => `Removed ${name}.`),
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

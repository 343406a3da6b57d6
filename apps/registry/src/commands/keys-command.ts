import { hostname } from 'node:os';
import { join } from 'node:path';
import { defineCommand } from '@vic/cli';
import { VicError } from '@vic/errors';
import { JobMonitor } from '@vic/jobs';
import type { Database } from '@vic/sql';
import { TokenKeys } from '@vic/tokens';
import { rotateSecretKey, type SecretRotation, type SecretRotationReport } from '../keys/rotate-secret-key.ts';
import { configurationOf } from './configuration-of.ts';
import { INSTALLATION_OPTIONS, onInstallation } from './installation.ts';

/** `registry keys rotate tokens`. */
export const rotateTokenKey = defineCommand({
  name: 'keys rotate tokens',
  summary: 'Sign tokens with a new key; those signed with earlier ones stay valid until they end',
  options: INSTALLATION_OPTIONS,
  run: async (options, context) =>
    onInstallation(options, context, async ({ storage }) => {
      const kid = await new TokenKeys(storage).rotate();
      context.result({ kid }, `Tokens are signed with ${kid} in every process within 30 seconds.`);
    }),
});

/** `registry keys rotate secrets`. */
export const rotateSecrets = defineCommand({
  name: 'keys rotate secrets',
  summary: 'Encrypt the secrets in the database with a new key, while the registry serves; run again when cut off',
  options: {
    ...INSTALLATION_OPTIONS,
    prepare: { kind: 'flag', description: 'Only add the next key to secret.key, to be copied to other machines' },
    finish: {
      kind: 'flag',
      description: 'Forget the key before although there are other machines: all have the new one',
    },
  },
  examples: ['registry keys rotate secrets --data /var/lib/vic/registry'],
  run: async (options, context) => {
    const { dataDirectory } = await configurationOf(options);
    const keyFile = join(dataDirectory, 'secret.key');
    await onInstallation(options, context, async ({ storage: { database } }) => {
      const others = await otherMachines(database);
      const upTo = stepOf(options, others);
      const report = await rotateSecretKey({ keyFile, database, upTo, signal: context.signal });
      context.result({ upTo, ...report, otherMachines: others }, describe(upTo, report, { keyFile, others }));
    });
  },
});

function stepOf(
  { prepare, finish }: { readonly prepare: boolean; readonly finish: boolean },
  others: readonly string[],
): SecretRotation['upTo'] {
  if (prepare && finish) {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'REGISTRY_ROTATION_STEP',
      message: '--prepare and --finish are the two ends of a rotation.',
      remedy: 'Give one of them, or none for what lies in between.',
    });
  }
  if (prepare) return 'prepare';
  return finish || others.length === 0 ? 'finish' : 'seal';
}

/** Processes elsewhere have a key file of their own, which does not follow this one. */
async function otherMachines(database: Database): Promise<readonly string[]> {
  const pools = await new JobMonitor(database, []).pools();
  return [...new Set(pools.map(({ host }) => host))].filter((host) => host !== hostname());
}

function describe(
  upTo: SecretRotation['upTo'],
  { resealed, unreadable }: SecretRotationReport,
  { keyFile, others }: { readonly keyFile: string; readonly others: readonly string[] },
): string {
  const lost = unreadable.map((context) => `The secret of ${context} cannot be read with any key: enter it again.`);
  switch (upTo) {
    case 'prepare':
      return `${keyFile} has the next key, too. Copy it to every machine, then run this without --prepare.`;
    case 'seal':
      return [
        `${resealed} secrets were encrypted again. ${keyFile} still has the key before, for ${others.join(', ')}:`,
        'copy it there, run this with --finish, and copy it once more.',
        ...lost,
      ].join('\n');
    case 'finish':
      return [
        `${resealed} secrets were encrypted again; the key before is forgotten. Back up ${keyFile}.`,
        ...lost,
      ].join('\n');
  }
}

import { defineCommand } from '@vic/cli';
import { VicError } from '@vic/errors';
import type { JsonObject } from '@vic/jobs';
import { INSTALLATION_OPTIONS, onInstallation } from './installation.ts';
import { runExecution } from './run-execution.ts';

/** `registry gc`. */
export const gc = defineCommand({
  name: 'gc',
  summary: 'Remove blobs that nothing refers to; safe while the registry serves',
  options: {
    ...INSTALLATION_OPTIONS,
    'dry-run': { kind: 'flag', description: 'Only tell what would be removed' },
    'delete-untagged': { kind: 'flag', description: 'Remove artifacts without tags as well' },
    'older-than': {
      kind: 'number',
      placeholder: 'hours',
      description: 'Leave alone what is younger',
      defaultText: '2',
    },
  },
  examples: ['registry gc --data /var/lib/vic/registry --dry-run'],
  run: async (options, context) =>
    onInstallation(options, context, async (installation) => {
      const parameters: JsonObject = {
        dry_run: options['dry-run'],
        delete_untagged: options['delete-untagged'],
        ...(options['older-than'] === undefined ? {} : { time_window: options['older-than'] }),
      };
      const id = await installation.parts.gc.gc.start(parameters);
      const { attributes } = await runExecution(installation, id, context);
      context.result(attributes, describe(attributes));
    }),
});

/** `registry scrub`. */
export const scrub = defineCommand({
  name: 'scrub',
  summary: 'Compare every blob and manifest with its digest; damaged ones are put into quarantine',
  options: INSTALLATION_OPTIONS,
  run: async (options, context) =>
    onInstallation(options, context, async (installation) => {
      const id = await installation.parts.gc.scrub.start({});
      const { attributes } = await runExecution(installation, id, context);
      context.result(attributes, describe(attributes));
      if (DAMAGE.some((name) => attributes[name] !== 0)) throw damaged();
    }),
});

const DAMAGE = ['damaged_blobs', 'damaged_manifests', 'missing_blobs'] as const;

/** So that whoever runs it by the clock notices. */
function damaged(): VicError {
  return new VicError({
    class: 'DataLoss',
    code: 'REGISTRY_CONTENT_DAMAGED',
    message: 'Content is damaged or missing; it is not served any more.',
    remedy: 'GET /api/v2.0/system/scrub/damaged names it. Push it again, and it is whole.',
  });
}

function describe(attributes: JsonObject): string {
  return Object.entries(attributes)
    .map(([name, value]) => `${name.replaceAll('_', ' ')}: ${JSON.stringify(value)}`)
    .join('\n');
}

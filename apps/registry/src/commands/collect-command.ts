import { defineCommand } from '@vic/cli';
import { VicError } from '@vic/errors';
import { describeGarbage } from '@vic/gc';
import type { JsonObject } from '@vic/jobs';
import { displaySize } from '@vic/policies';
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
      description: 'Leave alone what is younger; with 0, pushes under way may have to begin anew',
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
      context.result(attributes, describeCollection(attributes));
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
      context.result(attributes, describeScrub(attributes));
      if (isDamaged(attributes)) throw damaged();
    }),
});

const DAMAGE = ['damaged_blobs', 'damaged_manifests', 'missing_blobs'] as const;

/** So that whoever runs it by the clock notices. */
function damaged(): VicError {
  return new VicError({
    class: 'DataLoss',
    code: 'REGISTRY_CONTENT_DAMAGED',
    message: 'Content is damaged or missing; it is not served any more.',
    remedy:
      'GET /api/v2.0/system/scrub/damaged names it with the images that need it. Push them again, and it is whole.',
  });
}

function describeCollection(attributes: JsonObject): string {
  const garbage = describeGarbage({
    artifacts: count(attributes, 'purged_artifacts'),
    blobs: count(attributes, 'purged_blobs'),
    manifests: count(attributes, 'purged_manifests'),
    uploads: count(attributes, 'purged_uploads'),
    freedBytes: count(attributes, 'freed_space'),
  });
  const hours = count(attributes, 'time_window');
  const younger = hours === 0 ? '' : ` What is younger than ${hours} ${hours === 1 ? 'hour' : 'hours'} stays.`;
  return attributes['dry_run'] === true
    ? `Would remove ${garbage}; nothing was changed.${younger}`
    : `Removed ${garbage}.${younger}`;
}

function describeScrub(attributes: JsonObject): string {
  const of = (name: string): number => count(attributes, name);
  const verified = `Compared with their digests: ${of('blobs')} blobs, ${of('manifests')} manifests, ${displaySize(of('verified_bytes'))}.`;
  const [blobs, manifests, missing] = DAMAGE.map(of);
  if (!isDamaged(attributes)) return `${verified} All are whole.`;
  const { images } = attributes;
  const names = Array.isArray(images) ? images.filter((name) => typeof name === 'string') : [];
  const more = of('images_total') - names.length;
  return [
    verified,
    `Damaged blobs: ${blobs}, damaged manifests: ${manifests}, blobs that the blob store lacks: ${missing}.`,
    names.length === 0 ? 'No image needs them.' : 'Images that need them:',
    ...names.map((name) => `  ${name}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ].join('\n');
}

function isDamaged(attributes: JsonObject): boolean {
  return DAMAGE.some((name) => attributes[name] !== 0);
}

function count(attributes: JsonObject, name: string): number {
  const value = attributes[name];
  return typeof value === 'number' ? value : 0;
}

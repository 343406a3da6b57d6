import { describeError, isVicError } from '@vic/errors';
import type { EventConsumer } from '@vic/events';
import type { RegistryEvent } from '@vic/registry-api';
import type { ScanType } from '../scanners/scanner-metadata.ts';
import { isDatabaseAway } from '../database-away.ts';
import type { ScanningDeps } from '../scanning-deps.ts';
import type { ImageInventories } from './image-inventories.ts';
import { findSubject } from './scan-subject.ts';
import type { Scans } from './scans.ts';

/** Scans what is pushed where a project wants it, and forgets what is deleted. */
export function scanOnPush(
  deps: Pick<ScanningDeps, 'database' | 'projects' | 'logger'>,
  { scans, inventories }: { readonly scans: Scans; readonly inventories: ImageInventories },
): EventConsumer {
  return {
    name: 'scanning',
    consume: async (events, signal) => {
      for (const { event } of events) {
        signal.throwIfAborted();
        if (event.type === 'artifact.pushed') await scanPushed(deps, scans, event);
        else if (event.type === 'artifact.deleted') await inventories.forget(deps.database.db, [event.digest]);
      }
    },
  };
}

async function scanPushed(
  { database, projects, logger }: Pick<ScanningDeps, 'database' | 'projects' | 'logger'>,
  scans: Scans,
  event: Extract<RegistryEvent, { type: 'artifact.pushed' }>,
): Promise<void> {
  if (event.artifactType !== 'IMAGE') return;
  const metadata = (await projects.findById(event.projectId))?.metadata ?? {};
  const wanted: readonly ScanType[] = [
    ...(metadata['auto_scan'] === 'true' ? (['vulnerability'] as const) : []),
    ...(metadata['auto_sbom_generation'] === 'true' ? (['sbom'] as const) : []),
  ];
  const subject = wanted.length === 0 ? undefined : await findSubject(database.db, event.artifactId);
  if (subject === undefined || subject.isAccessory) return;
  const [tag] = event.tags;
  for (const scanType of wanted) {
    try {
      await scans.request(subject, { scanType, operator: event.operator, ...(tag === undefined ? {} : { tag }) });
    } catch (error) {
      // Scanned already, or not to be scanned; a database that is away is told again.
      if (isVicError(error, { class: 'Conflict' }) || isVicError(error, { class: 'InvalidArgument' })) continue;
      if (isDatabaseAway(error)) throw error;
      logger.warn('What was pushed is not scanned', { digest: subject.digest, error: describeError(error) });
    }
  }
}

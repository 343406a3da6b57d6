import { join } from 'node:path';
import { appendEvent } from '@vic/events';
import { HttpClient } from '@vic/http-client';
import type { Logger } from '@vic/log';
import type { RepositoryStore } from '@vic/repositories';
import { type ScannerRobots, Scanning, httpFeeds } from '@vic/scanning';
import { AdvisoryFeeds } from '@vic/vulnerabilities';
import type { RegistryConfiguration } from '../configuration.ts';
import type { Storage } from '../storage.ts';
import type { Management } from './management.ts';

/** What scanning is composed of here. */
export interface ScanningParts {
  readonly configuration: RegistryConfiguration;
  readonly storage: Storage;
  readonly management: Management;
  readonly store: Pick<RepositoryStore, 'getManifest' | 'linkBlob' | 'putManifest' | 'resolve'>;
  readonly logger: Logger;
}

/** Composes scanning with its advisories and the robots of its scanners. */
export function composeScanning(parts: ScanningParts): Scanning {
  const { configuration, storage, management, store, logger } = parts;
  const { database, blobs, secrets } = storage;
  const { jobs, schedules, projects, allowlists, authorizer } = management;
  return new Scanning({
    database,
    logger,
    jobs,
    schedules,
    box: secrets,
    store,
    blobs,
    projects,
    allowlist: async (project) => {
      const found = await projects.findById(project.id);
      return found === undefined ? new Set() : allowlists.inForce(found);
    },
    authorizer,
    advisories: new AdvisoryFeeds({
      database,
      logger,
      directory: join(configuration.dataDirectory, 'advisories'),
      fetch: httpFeeds(new HttpClient({ userAgent: 'vic-registry' })),
    }),
    robots: scannerRobots(management),
    registry: { url: configuration.externalUrl, internalUrl: configuration.externalUrl },
    appendEvent,
  });
}

/** A scanner gets a robot of its own for each scan, removed when the scan is over; forgotten ones end in a day. */
function scannerRobots({ identity }: Management): ScannerRobots {
  return {
    issue: async ({ project }) => {
      const { robot, secret } = await identity.robots.createInternal({
        purpose: 'scanner',
        project,
        permissions: [
          { resource: 'repository', action: 'pull' },
          { resource: 'repository', action: 'scanner-pull' },
        ],
      });
      return {
        authorization: `Basic ${Buffer.from(`${robot.fullName}:${secret}`).toString('base64')}`,
        revoke: async () => identity.robotStore.remove(robot.id),
      };
    },
  };
}

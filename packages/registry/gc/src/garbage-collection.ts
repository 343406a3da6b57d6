import { type JobKind, type JobVendor, systemJobRoutes } from '@vic/jobs';
import { type RestRoutes, parseListQuery, permits, sendPage } from '@vic/rest';
import type { Executor } from '@vic/sql';
import { collectGarbage } from './collect-garbage.ts';
import { imagesWith } from './concerned-images.ts';
import { type DamagedContent, listDamage } from './damaged-content.ts';
import { estimateGarbage } from './estimate-garbage.ts';
import { describeGarbage } from './garbage.ts';
import { DEFAULT_TIME_WINDOW_HOURS, gcParameterAttributes, readGcParameters } from './gc-parameters.ts';
import type { GcDeps } from './gc-work.ts';
import { readScrubParameters, scrub } from './scrub.ts';
import { CollectorJob, type CollectorJobDeps, type SystemTask } from './collector-job.ts';

/** Of the images that need damaged content; the total says how many there are. */
const IMAGES_SHOWN = 20;

/** What {@link GarbageCollection} is composed of. */
export interface GarbageCollectionDeps extends GcDeps, CollectorJobDeps {
  /** What a collection leaves alone unless it is asked otherwise; 2. */
  readonly timeWindowHours?: number;
}

/** Garbage collection and scrub as jobs, with their REST API. */
export class GarbageCollection {
  /** The collection; started by the command line, for example. */
  readonly gc: CollectorJob;
  readonly scrub: CollectorJob;
  readonly #deps: GarbageCollectionDeps;

  constructor(deps: GarbageCollectionDeps) {
    this.#deps = deps;
    this.gc = new CollectorJob(deps, collection(deps));
    this.scrub = new CollectorJob(deps, scrubbing(deps));
  }

  get kinds(): readonly JobKind[] {
    return [this.gc.kind, this.scrub.kind];
  }

  get vendors(): readonly JobVendor[] {
    return [this.gc.vendor, this.scrub.vendor];
  }

  /** `/system/gc`, `/system/scrub` and `/system/scrub/damaged`. */
  get routes(): readonly RestRoutes[] {
    return [systemJobRoutes(this.#deps, this.gc), damageRoutes(this.#deps), systemJobRoutes(this.#deps, this.scrub)];
  }
}

function collection(deps: GarbageCollectionDeps): SystemTask {
  const windowHours = deps.timeWindowHours ?? DEFAULT_TIME_WINDOW_HOURS;
  return {
    path: '/system/gc',
    name: 'garbage collection',
    vendorType: 'GARBAGE_COLLECTION',
    complete: (parameters) => gcParameterAttributes(readGcParameters(parameters, windowHours)),
    run: async (context, payload) => {
      const parameters = readGcParameters(payload, windowHours);
      context.log.info(`Parameters: ${JSON.stringify(payload)}`);
      const garbage = parameters.dryRun
        ? await estimateGarbage(deps, parameters, context)
        : await collectGarbage(deps, parameters, context);
      context.log.info(`${parameters.dryRun ? 'Would remove' : 'Removed'} ${describeGarbage(garbage)}.`);
      return {
        freed_space: garbage.freedBytes,
        purged_blobs: garbage.blobs,
        purged_manifests: garbage.manifests,
        purged_artifacts: garbage.artifacts,
        purged_uploads: garbage.uploads,
      };
    },
  };
}

function scrubbing(deps: GarbageCollectionDeps): SystemTask {
  return {
    path: '/system/scrub',
    name: 'scrub',
    vendorType: 'SCRUB',
    complete: (parameters) => ({ workers: readScrubParameters(parameters).workers }),
    run: async (context, payload) => {
      const report = await scrub(deps, readScrubParameters(payload), context);
      context.log.info(`Verified ${report.blobs} blobs and ${report.manifests} manifests.`);
      return {
        blobs: report.blobs,
        manifests: report.manifests,
        verified_bytes: report.verifiedBytes,
        damaged_blobs: report.damagedBlobs,
        damaged_manifests: report.damagedManifests,
        missing_blobs: report.missingBlobs,
        images: [...report.images].slice(0, IMAGES_SHOWN),
        images_total: report.images.size,
      };
    },
  };
}

/** What was found damaged and has not been pushed again since. */
function damageRoutes({ database }: GarbageCollectionDeps): RestRoutes {
  return (app) => {
    app.get(
      '/system/scrub/damaged',
      permits({ scope: 'system', resource: 'garbage-collection', action: 'read' }),
      async (request, reply) => {
        const query = parseListQuery(request, { filter: [], sort: [] });
        const offset = (query.page - 1) * query.pageSize;
        const { items, total } = await listDamage(database.db, { offset, limit: query.pageSize });
        const bodies = [];
        for (const damage of items) bodies.push(await damageBody(database.db, damage));
        return sendPage(request, reply, query, { items: bodies, total });
      },
    );
  };
}

async function damageBody(db: Executor, { digest, kind, foundAtMs, quarantinedAs }: DamagedContent): Promise<object> {
  const { images, total } = await imagesWith(db, digest, IMAGES_SHOWN);
  return {
    digest,
    kind,
    found_time: new Date(foundAtMs).toISOString(),
    ...(quarantinedAs === undefined ? {} : { quarantined_as: quarantinedAs }),
    images: images.map(({ repository, digest: image, tags }) => ({ repository_name: repository, digest: image, tags })),
    images_total: total,
  };
}

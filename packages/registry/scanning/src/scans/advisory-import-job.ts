import { VicError } from '@vic/errors';
import type { HttpClient } from '@vic/http-client';
import type { JobKind } from '@vic/jobs';
import type { FeedImport, FetchFeed } from '@vic/vulnerabilities';
import type { ScanningDeps } from '../scanning-deps.ts';
import { REEVALUATE } from './reevaluate-job.ts';

/** The kind of the job that imports a feed of advisories; its payload is a `FeedImport`. */
export const ADVISORY_IMPORT = 'ADVISORY_IMPORT';

const TIMEOUT_MS = 4 * 60 * 60_000;

/** Imports a feed, then has the reports judged again. */
export function advisoryImportJob(deps: Pick<ScanningDeps, 'advisories' | 'jobs'>): JobKind {
  return {
    kind: ADVISORY_IMPORT,
    concurrency: 1,
    maxFailures: 3,
    retryMs: 60_000,
    timeoutMs: TIMEOUT_MS,
    run: async (context) => {
      const { job, signal, log } = context;
      const wanted = job.payload as unknown as FeedImport;
      log.info(`Importing ${wanted.name} from ${wanted.source}.`);
      const changed = await deps.advisories.import(wanted, signal, (done, total) =>
        context.progress((100 * done) / total, `${done} of ${total} advisories`),
      );
      if (!changed) {
        log.info('The feed has not changed since it was imported.');
        return;
      }
      const { advisoryCount } = await deps.advisories.status();
      log.info(`${advisoryCount} advisories are known.`);
      await requestReevaluation(deps);
    },
  };
}

/** Has the reports judged again. One under way may have begun with the old advisories, so another is queued. */
export async function requestReevaluation({ jobs }: Pick<ScanningDeps, 'jobs'>): Promise<void> {
  await jobs.enqueue({ kind: REEVALUATE, payload: {} });
}

/** Fetches feeds over HTTP, only when they changed. */
export function httpFeeds(client: HttpClient): FetchFeed {
  return async (url, etag, signal) => {
    const headers = etag === undefined ? {} : { 'if-none-match': etag };
    const response = await client.request({ url, headers, signal });
    if (response.status === 304) {
      response.discard();
      return 'unchanged';
    }
    if (response.status === 200) return { etag: response.header('etag'), content: response };
    response.discard();
    throw new VicError({
      class: 'Unavailable',
      code: 'ADVISORIES_NOT_FETCHED',
      message: `${url} answered ${response.status}.`,
    });
  };
}

import { onPostgres } from '@vic/sql/testing';
import { jobClaimsSuite } from './testing/job-claims.suite.ts';
import { jobsSuite } from './testing/jobs.suite.ts';

onPostgres('the queue of jobs', (open) => {
  jobsSuite(open);
  jobClaimsSuite(open);
});

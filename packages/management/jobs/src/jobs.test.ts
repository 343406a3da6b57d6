import { onSqlite } from '@vic/sql/testing';
import { jobClaimsSuite } from './testing/job-claims.suite.ts';
import { jobsSuite } from './testing/jobs.suite.ts';

onSqlite('the queue of jobs', jobsSuite);
onSqlite('claims to jobs', jobClaimsSuite);

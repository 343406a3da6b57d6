import { onPostgres } from '@vic/sql/testing';
import { jobsSuite } from './testing/jobs.suite.ts';

onPostgres('the queue of jobs', jobsSuite);

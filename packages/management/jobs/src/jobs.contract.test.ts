import { onPostgres } from '@vic/sql/testing';
import { jobsSuite } from './jobs.suite.ts';

onPostgres('the queue of jobs', jobsSuite);

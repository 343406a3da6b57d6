import { onSqlite } from '@vic/sql/testing';
import { jobsSuite } from './testing/jobs.suite.ts';

onSqlite('the queue of jobs', jobsSuite);

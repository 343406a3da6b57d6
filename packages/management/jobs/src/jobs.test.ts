import { onSqlite } from '@vic/sql/testing';
import { jobsSuite } from './jobs.suite.ts';

onSqlite('the queue of jobs', jobsSuite);

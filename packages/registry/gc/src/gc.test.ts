import { onSqlite } from '@vic/sql/testing';
import { collectSuite } from './testing/collect.suite.ts';
import { racesSuite } from './testing/races.suite.ts';
import { scrubSuite } from './testing/scrub.suite.ts';
import { systemJobSuite } from './testing/system-job.suite.ts';

onSqlite('garbage collection', collectSuite);
onSqlite('races', racesSuite);
onSqlite('scrub', scrubSuite);
onSqlite('system jobs', systemJobSuite);

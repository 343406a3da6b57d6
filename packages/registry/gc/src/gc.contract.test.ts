import { onPostgres } from '@vic/sql/testing';
import { collectSuite } from './testing/collect.suite.ts';
import { racesSuite } from './testing/races.suite.ts';
import { scrubSuite } from './testing/scrub.suite.ts';
import { systemJobSuite } from './testing/system-job.suite.ts';

onPostgres('garbage collection', collectSuite);
onPostgres('races', racesSuite);
onPostgres('scrub', scrubSuite);
onPostgres('system jobs', systemJobSuite);

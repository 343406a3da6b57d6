import { onPostgres } from '@vic/sql/testing';
import { restSuite } from './testing/rest.suite.ts';
import { scansSuite } from './testing/scans.suite.ts';
import { stoppedScansSuite } from './testing/stopped-scans.suite.ts';

onPostgres('scans', scansSuite);
onPostgres('stopped scans', stoppedScansSuite);
onPostgres('the API of scanning', restSuite);

import { onSqlite } from '@vic/sql/testing';
import { scansSuite } from './testing/scans.suite.ts';
import { stoppedScansSuite } from './testing/stopped-scans.suite.ts';

onSqlite('scans', scansSuite);
onSqlite('stopped scans', stoppedScansSuite);

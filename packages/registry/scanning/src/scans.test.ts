import { onSqlite } from '@vic/sql/testing';
import { scansSuite } from './testing/scans.suite.ts';

onSqlite('scans', scansSuite);

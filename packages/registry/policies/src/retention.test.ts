import { onSqlite } from '@vic/sql/testing';
import { retentionSuite } from './testing/retention.suite.ts';

onSqlite('retention', retentionSuite);

import { onSqlite } from '@vic/sql/testing';
import { immutabilitySuite } from './testing/immutability.suite.ts';

onSqlite('immutability', immutabilitySuite);

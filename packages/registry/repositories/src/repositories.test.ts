import { onSqlite } from '@vic/sql/testing';
import { manifestsSuite } from './manifests.suite.ts';
import { storageSuite } from './storage.suite.ts';

onSqlite('manifests', manifestsSuite);
onSqlite('storage', storageSuite);

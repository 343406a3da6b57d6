import { onSqlite } from '@vic/sql/testing';
import { manifestsSuite } from './testing/manifests.suite.ts';
import { storageSuite } from './testing/storage.suite.ts';

onSqlite('manifests', manifestsSuite);
onSqlite('storage', storageSuite);

import { onSqlite } from '@vic/sql/testing';
import { deletionSuite } from './testing/deletion.suite.ts';
import { manifestsSuite } from './testing/manifests.suite.ts';
import { storageSuite } from './testing/storage.suite.ts';

onSqlite('deletion', deletionSuite);
onSqlite('manifests', manifestsSuite);
onSqlite('storage', storageSuite);

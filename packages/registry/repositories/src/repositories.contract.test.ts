import { onPostgres } from '@vic/sql/testing';
import { deletionSuite } from './testing/deletion.suite.ts';
import { manifestsSuite } from './testing/manifests.suite.ts';
import { storageSuite } from './testing/storage.suite.ts';

onPostgres('deletion', deletionSuite);
onPostgres('manifests', manifestsSuite);
onPostgres('storage', storageSuite);

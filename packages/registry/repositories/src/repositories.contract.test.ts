import { onPostgres } from '@vic/sql/testing';
import { manifestsSuite } from './testing/manifests.suite.ts';
import { storageSuite } from './testing/storage.suite.ts';

onPostgres('manifests', manifestsSuite);
onPostgres('storage', storageSuite);

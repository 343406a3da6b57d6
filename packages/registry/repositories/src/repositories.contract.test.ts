import { onPostgres } from '@vic/sql/testing';
import { manifestsSuite } from './manifests.suite.ts';
import { storageSuite } from './storage.suite.ts';

onPostgres('manifests', manifestsSuite);
onPostgres('storage', storageSuite);

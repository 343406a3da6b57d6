import { onPostgres } from '@vic/sql/testing';
import { catalogSuite } from './testing/catalog.suite.ts';

onPostgres('the catalogue', catalogSuite);

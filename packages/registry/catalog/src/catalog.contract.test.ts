import { onPostgres } from '@vic/sql/testing';
import { additionsSuite } from './testing/additions.suite.ts';
import { catalogSuite } from './testing/catalog.suite.ts';

onPostgres('the catalogue', catalogSuite);
onPostgres('documents about artifacts', additionsSuite);

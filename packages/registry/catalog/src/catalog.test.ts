import { onSqlite } from '@vic/sql/testing';
import { catalogSuite } from './testing/catalog.suite.ts';

onSqlite('the catalogue', catalogSuite);

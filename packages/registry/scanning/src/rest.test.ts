import { onSqlite } from '@vic/sql/testing';
import { restSuite } from './testing/rest.suite.ts';

onSqlite('the API of scanning', restSuite);

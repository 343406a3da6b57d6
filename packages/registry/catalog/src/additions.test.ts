import { onSqlite } from '@vic/sql/testing';
import { additionsSuite } from './testing/additions.suite.ts';

onSqlite('documents about artifacts', additionsSuite);

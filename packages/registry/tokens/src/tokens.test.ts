import { onSqlite } from '@vic/sql/testing';
import { tokensSuite } from './testing/tokens.suite.ts';

onSqlite('tokens', tokensSuite);

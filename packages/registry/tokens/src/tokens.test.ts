import { onSqlite } from '@vic/sql/testing';
import { accessSuite } from './testing/access.suite.ts';
import { tokensSuite } from './testing/tokens.suite.ts';

onSqlite('access', accessSuite);
onSqlite('tokens', tokensSuite);

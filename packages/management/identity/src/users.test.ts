import { onSqlite } from '@vic/sql/testing';
import { usersSuite } from './testing/users.suite.ts';

onSqlite('users', usersSuite);

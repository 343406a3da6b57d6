import { onSqlite } from '@vic/sql/testing';
import { sessionsSuite } from './testing/sessions.suite.ts';

onSqlite('sessions and access tokens', sessionsSuite);

import { onSqlite } from '@vic/sql/testing';
import { eventsSuite } from './events.suite.ts';

onSqlite('the outbox', eventsSuite);

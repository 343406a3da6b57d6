import { onSqlite } from '@vic/sql/testing';
import { eventsSuite } from './testing/events.suite.ts';

onSqlite('the outbox', eventsSuite);

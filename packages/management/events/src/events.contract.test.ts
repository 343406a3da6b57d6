import { onPostgres } from '@vic/sql/testing';
import { eventsSuite } from './testing/events.suite.ts';

onPostgres('the outbox', eventsSuite);

import { onPostgres } from '@vic/sql/testing';
import { eventsSuite } from './events.suite.ts';

onPostgres('the outbox', eventsSuite);

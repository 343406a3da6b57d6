import { onSqlite } from '@vic/sql/testing';
import { webhooksSuite } from './testing/webhooks.suite.ts';

onSqlite('webhooks', webhooksSuite);

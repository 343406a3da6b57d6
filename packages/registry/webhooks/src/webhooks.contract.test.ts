import { onPostgres } from '@vic/sql/testing';
import { webhooksSuite } from './testing/webhooks.suite.ts';

onPostgres('webhooks', webhooksSuite);

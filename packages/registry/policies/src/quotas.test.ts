import { onSqlite } from '@vic/sql/testing';
import { quotasSuite } from './testing/quotas.suite.ts';

onSqlite('quotas', quotasSuite);

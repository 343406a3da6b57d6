import { onPostgres } from '@vic/sql/testing';
import { auditSuite } from './testing/audit.suite.ts';

onPostgres('the audit log', auditSuite);

import { onPostgres } from '@vic/sql/testing';
import { auditSuite } from './audit.suite.ts';

onPostgres('the audit log', auditSuite);

import { onSqlite } from '@vic/sql/testing';
import { auditSuite } from './testing/audit.suite.ts';

onSqlite('the audit log', auditSuite);

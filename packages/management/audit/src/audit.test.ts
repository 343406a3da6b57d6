import { onSqlite } from '@vic/sql/testing';
import { auditSuite } from './audit.suite.ts';

onSqlite('the audit log', auditSuite);

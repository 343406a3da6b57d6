import { onSqlite } from '@vic/sql/testing';
import { oidcSuite } from './testing/oidc.suite.ts';

onSqlite('signing in by OIDC', oidcSuite);

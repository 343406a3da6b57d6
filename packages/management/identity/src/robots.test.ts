import { onSqlite } from '@vic/sql/testing';
import { robotsSuite } from './testing/robots.suite.ts';

onSqlite('robots', robotsSuite);

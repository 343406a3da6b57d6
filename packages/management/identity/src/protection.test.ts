import { onSqlite } from '@vic/sql/testing';
import { protectionSuite } from './testing/protection.suite.ts';

onSqlite('protection against guessing', protectionSuite);

import { onSqlite } from '@vic/sql/testing';
import { groupsSuite } from './testing/groups.suite.ts';

onSqlite('groups', groupsSuite);

import { onSqlite } from '@vic/sql/testing';
import { projectsSuite } from './testing/projects.suite.ts';

onSqlite('projects', projectsSuite);

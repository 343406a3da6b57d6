import { onSqlite } from '@vic/sql/testing';
import { projectsSuite } from './projects.suite.ts';

onSqlite('projects', projectsSuite);

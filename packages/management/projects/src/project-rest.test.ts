import { onSqlite } from '@vic/sql/testing';
import { projectRestSuite } from './testing/project-rest.suite.ts';

onSqlite('the REST API of projects', projectRestSuite);

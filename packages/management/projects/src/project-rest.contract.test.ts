import { onPostgres } from '@vic/sql/testing';
import { projectRestSuite } from './testing/project-rest.suite.ts';

onPostgres('the REST API of projects', projectRestSuite);

import { onPostgres } from '@vic/sql/testing';
import { projectsSuite } from './testing/projects.suite.ts';

onPostgres('projects', projectsSuite);

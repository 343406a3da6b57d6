import { onPostgres } from '@vic/sql/testing';
import { projectsSuite } from './projects.suite.ts';

onPostgres('projects', projectsSuite);

import { listQuerySuite } from './list-query.suite.ts';
import { onPostgres } from './testing/index.ts';

onPostgres('a list', listQuerySuite);

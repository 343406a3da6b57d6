import { listQuerySuite } from './testing/list-query.suite.ts';
import { onPostgres } from './testing/index.ts';

onPostgres('a list', listQuerySuite);

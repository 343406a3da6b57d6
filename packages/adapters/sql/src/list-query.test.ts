import { listQuerySuite } from './testing/list-query.suite.ts';
import { onSqlite } from './testing/index.ts';

onSqlite('a list', listQuerySuite);

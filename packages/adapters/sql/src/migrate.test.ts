import { migrateSuite } from './migrate.suite.ts';
import { onSqlite } from './testing/index.ts';

onSqlite('a schema', migrateSuite);

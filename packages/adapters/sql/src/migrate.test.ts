import { migrateSuite } from './testing/migrate.suite.ts';
import { onSqlite } from './testing/index.ts';

onSqlite('a schema', migrateSuite);

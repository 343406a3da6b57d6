import { databaseSuite } from './testing/database.suite.ts';
import { onSqlite } from './testing/index.ts';

onSqlite('a database', databaseSuite);

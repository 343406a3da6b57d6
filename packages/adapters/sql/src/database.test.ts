import { databaseSuite } from './database.suite.ts';
import { onSqlite } from './testing/index.ts';

onSqlite('a database', databaseSuite);

import { databaseSuite } from './database.suite.ts';
import { onPostgres } from './testing/index.ts';

onPostgres('a database', databaseSuite);
